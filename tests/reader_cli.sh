#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The reader's exit status and messages: right and wrong usage, no module, and
# recordings that are cut off, foreign, damaged or of a newer version.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# runs NAME STATUS [PART] -- ARGUMENT...: the exit status, and what stderr says
runs() {
	local name=$1 status=$2 part=''
	shift 2
	if [ "$1" != -- ]; then
		part=$1
		shift
	fi
	shift
	timeout 60 "$TCPHS" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
	is "$name: exit status" $? "$status"
	if [ -n "$part" ]; then
		contains "$name: the message" "$(cat "$WORK/err")" "$part"
	elif [ "$status" = 0 ]; then
		is "$name: no message" "$(cat "$WORK/err")" ""
	fi
}

# lines FILE: how many
lines() {
	wc -l <"$1"
}

# edit FILE OFFSET BYTES: a copy of the recording with these bytes there
edit() {
	cp "$WORK/good" "$1"
	printf '%b' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

begin
find_tool
module_away
netns_add NS_LO

runs "no module" 3 insmod -- events
runs "no module" 3 insmod -- timeline
runs "no module" 3 insmod -- stats

said=$(module_insert 2>&1) || fail "the module loads" "$said"
echo "netns $(netns_inode "$NS_LO")" >/proc/tcphs/filter
./churn.py --count 3 --workers 1 "$NS_LO" >/dev/null
sleep 0.5

# Usage.
for args in bogus --bogus -Q "timeline --color=pink" "events -n x" "events -n -1" \
	"live -d x" "-r" "record" "export" "events --netns x"; do
	# shellcheck disable=SC2086 # several words
	runs "tcphs $args" 2 tcphs -- $args
done
runs "a bad filter expression" 2 tcphs -- timeline 'port port'
runs "--help" 0 -- --help
contains "--help names the commands" "$(cat "$WORK/out")" timeline
runs "--version" 0 -- --version
for args in "" timeline list events stats "timeline --json" "list --json" \
	"events --json" "stats --json" "timeline --ascii" "timeline -S" \
	"timeline --owner" "list --owner" "events --owner" \
	"events -t" "events -tttt" "events -n 3" "timeline port 1"; do
	# shellcheck disable=SC2086 # several words
	runs "tcphs $args" 0 -- $args
	case "$args" in
	*--json*) check "tcphs $args is JSON" python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert rows and all(type(row) is dict for row in rows)' "$WORK/out" ;;
	esac
done
"$TCPHS" events -n 3 >"$WORK/out"
is "events -n 3" "$(lines "$WORK/out")" 3
"$TCPHS" events --json >"$WORK/all"
check "the reader's rows are the records" ./reader_rows.py "$WORK/all"
"$TCPHS" timeline --color=always >"$WORK/out"
check "--color=always colours" grep -q "$(printf '\033')" "$WORK/out"
for how in "timeline" "list" "events"; do
	"$TCPHS" "$how" >"$WORK/out"
	is "$how into a file has no colours" \
		"$(grep -c "$(printf '\033')" "$WORK/out")" 0
	is "$how has no port 0" "$(grep -cE '[0-9\]][:.]0( |$)' "$WORK/out")" 0
done
"$TCPHS" timeline --ascii >"$WORK/out"
is "--ascii is ASCII" "$(LC_ALL=C grep -cP '[\x80-\xff]' "$WORK/out")" 0

# A closed pipe ends it quietly.
for how in "timeline" "events" "events --json" "list" "stats"; do
	# shellcheck disable=SC2086 # several words
	said=$({ {
		"$TCPHS" $how 2>&3
		echo "status $?" >&3
	} | true; } 3>&1)
	is "$how into a closed pipe" "$said" "status 0"
done

# Recordings.
runs "record" 0 -- record -o "$WORK/good" -d 1
runs "record nowhere" 1 /nowhere/x -- record -o /nowhere/x -d 1
count=$((($(stat -c %s "$WORK/good") - 256) / 128))
check "there are records" test "$count" -gt 30
runs "-r" 0 -- -r "$WORK/good" events --json
# TIME_WAIT may have ended since.
is "-r: the same rows" "$(head -n "$(lines "$WORK/all")" "$WORK/out" | sha256sum)" \
	"$(sha256sum <"$WORK/all")"
runs "-r stats" 0 -- -r "$WORK/good" stats
contains "-r stats: its listeners" "$(cat "$WORK/out")" "listener "
runs "-r of nothing" 1 nothing-there -- -r "$WORK/nothing-there" events
runs "-r of a directory" 1 "$WORK" -- -r "$WORK" events

head -c $((256 + 128 * 7 + 50)) "$WORK/good" >"$WORK/cut"
runs "cut off in record 8" 1 "record 8" -- -r "$WORK/cut" events --json
is "what is whole is shown" "$(lines "$WORK/out")" 7
head -c 100 "$WORK/good" >"$WORK/cut"
runs "cut off in the header" 1 "$WORK/cut" -- -r "$WORK/cut" events
: >"$WORK/cut"
runs "empty" 1 "$WORK/cut" -- -r "$WORK/cut" events
head -c 256 "$WORK/good" >"$WORK/cut"
runs "a header alone" 0 -- -r "$WORK/cut" events
runs "foreign" 1 /etc/passwd -- -r /etc/passwd events
head -c 10000 /dev/urandom >"$WORK/noise"
runs "noise" 1 noise -- -r "$WORK/noise" events
edit "$WORK/newer" 12 '\002\000'
runs "of a newer version" 1 newer -- -r "$WORK/newer" events
edit "$WORK/minor" 14 '\011\000'
runs "of a newer minor version" 0 -- -r "$WORK/minor" events --json
edit "$WORK/damaged" $((256 + 128 * 5 + 30)) '\377'
runs "damaged in record 6" 1 "record 6" -- -r "$WORK/damaged" events --json
check "what is whole is shown" test "$(lines "$WORK/out")" -ge 5

# A disk without room.
mkdir "$WORK/small"
mount -t tmpfs -o size=4k none "$WORK/small"
defer umount "$WORK/small"
runs "record on a full disk" 1 "No space left" -- -r "$WORK/good" record -o "$WORK/small/x"
size=$(stat -c %s "$WORK/small/x")
check "... leaves something" test "$size" -gt 3000
is "... in whole records" "$(((size - 256) % 128))" 0
check "... that are those of the recording" cmp -n "$size" "$WORK/good" "$WORK/small/x"
runs "... and can be read" 0 -- -r "$WORK/small/x" list
rm "$WORK/small/x"
head -c 4096 /dev/zero >"$WORK/small/zero" 2>/dev/null
for how in pcapng svg png mmd; do
	runs "$how on a full disk" 1 "No space left" -- \
		export -r "$WORK/good" -o "$WORK/small/x.$how"
	check "... leaves none" test ! -e "$WORK/small/x.$how"
done
"$TCPHS" -r "$WORK/good" list >"$WORK/small/list" 2>"$WORK/err"
is "rows onto a full disk: exit status" $? 1
contains "rows onto a full disk" "$(cat "$WORK/err")" "standard output: No space left"

# Whatever byte is wrong: no crash, no hang, a proper exit status.
check "any damaged byte" ./reader_noise.py "$TCPHS" "$WORK/good" "$WORK/bad"
finish
