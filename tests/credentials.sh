#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Whose a socket is: user, cgroup, mark and network namespace, in the JSON and,
# on request, in the text.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_use
place_loopback
place_netns
loopback_patient
netns_patient
mkdir "$WORK/cgroup"
mount -t cgroup2 none "$WORK/cgroup" || skip_all "no cgroup2 in this kernel"
defer umount "$WORK/cgroup"
for name in client server; do
	mkdir "$WORK/cgroup/tcphs-$name.$$" || skip_all "cannot make a cgroup"
	defer rmdir "$WORK/cgroup/tcphs-$name.$$"
done

# Each family in each place; the ends differ in all that there is to tell.
./credentials.py "${PLACES[@]}" "$WORK/cgroup/tcphs-client.$$" \
	"$WORK/cgroup/tcphs-server.$$" >"$WORK/truth" 2>"$WORK/traffic.err" ||
	fail "the traffic was made" "$(tail -n 20 "$WORK/traffic.err")"
for how in "timeline --json" "events --json" "timeline --owner" "list --owner" \
	"events --owner" timeline; do
	# shellcheck disable=SC2086 # two words
	check "tcphs $how can be had" sh -c \
		"'$TCPHS' --color=never $how >'$WORK/${how// /}'"
done

while read -r name end netns port uid mark cgroup; do
	is "$name: JSON of the $end" "$(python3 -c '
import json, sys
end, port = sys.argv[1], int(sys.argv[2])
for row in map(json.loads, open(sys.argv[3])):
    if row["kind"] == "connection" and row["client"]["port"] == port:
        print(*(row[end][field] for field in ("netns", "uid", "mark", "cgroup")))
' "$end" "$port" "$WORK/timeline--json")" "$netns $uid $mark $cgroup"
	text="uid $uid cgroup $cgroup mark 0x$(printf %x "$mark") netns $netns"
	is "$name: $end in the ladder's text" \
		"$(grep -A 6 "^client .*:$port\\b" "$WORK/timeline--owner" | grep -c "$text")" 1
	is "$name: $end in list's text" \
		"$(grep ":$port > " "$WORK/list--owner" | grep -c "$text")" 1
	if [ "$end" = client ]; then
		is "$name: connect() in events' text" "$(grep -E ":$port - " \
			"$WORK/events--owner" | grep -c "SYN_SENT by .*($text)")" 1
	else
		is "$name: accept() in events' text" "$(grep -E " - [^ ]*:$port: " \
			"$WORK/events--owner" | grep -c "accepted by .*($text)")" 1
	fi
done <"$WORK/truth"
is "every end was looked at" "$(wc -l <"$WORK/truth")" 12
is "nothing of it without being asked" "$(grep -c "cgroup" "$WORK/timeline")" 0
finish
