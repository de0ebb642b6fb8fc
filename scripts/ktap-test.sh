#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests scripts/ktap.sh, which counts the tests: that it misses no failure.
# Prints KTAP.
#
# usage: scripts/ktap-test.sh

. "$(dirname "$0")/common.sh"
. "$top/scripts/ktap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
wrong=0

# counts NAME WANTED: compares with what the last ktap_* counted, and forgets it
counts() {
	local got="$passed passed, $failed failed, $skipped skipped, $scripts_ended scripts"
	number=$((number + 1))
	if [ "$got" = "$2" ]; then
		echo "ok $number $1"
	else
		echo "not ok $number $1"
		echo "# got '$got', expected '$2'"
		sed 's/^/# /' "$work/shown"
		wrong=1
	fi
	passed=0 failed=0 skipped=0 scripts_ended=0
}

# shows NAME TEXT: what the last ktap_* printed has TEXT in it
shows() {
	number=$((number + 1))
	if grep -qF -- "$2" "$work/shown"; then
		echo "ok $number $1"
	else
		echo "not ok $number $1"
		sed 's/^/# /' "$work/shown"
		wrong=1
	fi
}

runner() {
	ktap_runner "$work/log" >"$work/shown"
}

program() {
	ktap_program it "$work/log" sh -c "$1" >"$work/shown"
}

# Two runners at the same time, whose lines come in turn.
two() {
	(printf '# selftests: tcphs: %s\n# ok 1 one\n' "$1"
	sleep "$2"
	printf '# not ok 2 two\n#  because of %s\nnot ok 1 selftests: tcphs: %s # exit=1\n' "$1" "$1"
	printf '# selftests: tcphs: more-%s\n# ok 1 one\n# cut off' "$1") |
		ktap_blocks "$work/lock"
}
# Not "began": ktap_runner has that one.
started=$SECONDS
runner < <(two a.sh 1.2 & two b.sh 0.4; wait)
took=$((SECONDS - started))
counts "several runners: each script's results are its own" \
	"2 passed, 2 failed, 0 skipped, 2 scripts"
shows "several runners: with the reason" "because of a.sh"
# Seconds are counted when they end: it may be 2 as well, or more on a busy machine.
seconds=$(sed -n 's/^FAIL a\.sh                             1 passed, 1 failed (\([0-9]*\) s).*/\1/p' "$work/shown")
[ "${seconds:-0}" -ge 1 ] && [ "$seconds" -le "$took" ] || seconds=1
shows "several runners: and the time" "a.sh                             1 passed, 1 failed ($seconds s)"

runner <<'END'
TAP version 13
1..2
# selftests: tcphs: good.sh
# TAP version 13
# ok 1 one
# ok 2 two # SKIP no such thing here
# 1..2
ok 1 selftests: tcphs: good.sh
# selftests: tcphs: bad.sh
# ok 1 one
# not ok 2 two
# # got 1, expected 2
# ok 3 three
not ok 2 selftests: tcphs: bad.sh # exit=1
END
counts "inner results are what counts" "3 passed, 1 failed, 1 skipped, 2 scripts"
shows "a failure is shown" "not ok 2 two"
shows "with what it said" "got 1, expected 2"

runner <<'END'
# selftests: tcphs: crashed.sh
# ok 1 one
# line 7: what: command not found
not ok 1 selftests: tcphs: crashed.sh # exit=127
END
counts "a script that failed without a failed result" "1 passed, 1 failed, 0 skipped, 1 scripts"
shows "its last words are shown" "what: command not found"

runner <<'END'
# selftests: tcphs: slow.sh
#
not ok 1 selftests: tcphs: slow.sh # TIMEOUT 45 seconds
# selftests: tcphs: skipped.sh
# 1..0 # SKIP no root
ok 2 selftests: tcphs: skipped.sh # SKIP
# selftests: tcphs: terse.sh
ok 3 selftests: tcphs: terse.sh
END
counts "scripts without results of their own count as one" "1 passed, 1 failed, 1 skipped, 3 scripts"
shows "why something was skipped is shown" "no root"

runner <<'END'
# selftests: tcphs: cut.sh
# ok 1 one
END
counts "a script that never ended is not counted" "0 passed, 0 failed, 0 skipped, 0 scripts"

program 'echo ok 1 a; echo not ok 2 b; exit 1'
counts "a program's own results" "1 passed, 1 failed, 0 skipped, 0 scripts"

program 'echo ok 1 a; exit 3'
counts "a program that failed without a failed result" "1 passed, 1 failed, 0 skipped, 0 scripts"

program 'echo "Segmentation fault"; kill -SEGV $$'
counts "a program that crashed" "0 passed, 1 failed, 0 skipped, 0 scripts"

echo "1..$number"
exit "$wrong"
