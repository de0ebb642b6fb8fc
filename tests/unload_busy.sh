#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rmmod under a storm of connections with readers open: one sleeps in read(),
# one in poll(), one is stopped. The readers end, the machine stays sound; so
# again and again, and while the files of /proc/tcphs are being opened.
# shellcheck disable=SC2317,SC2329 # some functions are called by wait_for
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

ROUNDS=${ROUNDS:-3}

# reader HOW: starts reader.py; its process id goes to the array `readers`
reader() {
	local said="$WORK/$1.said"
	./reader.py "$1" "$WORK/$1.bin" <&9 >"$said" 2>&1 &
	readers+=($!)
	defer kill -KILL $!
	wait_for 30 grep -q ready "$said"
}

# gone PID
gone() {
	! kill -0 "$1"
}

# size_above FILE BYTES
size_above() {
	[ "$(stat -c %s "$1")" -gt "$2" ]
}

begin
module_away
netns_add NS_LO
kernel_mark
mkfifo "$WORK/never"
exec 9<>"$WORK/never"	# a stdin that neither ends nor has anything
./churn.py --workers 2 "$NS_LO" >"$WORK/churn" 2>&1 &
churn=$!
defer kill "$churn"
check "the storm blows" wait_for 60 grep -q ready "$WORK/churn"

for ((round = 1; round <= ROUNDS; round++)); do
	module_insert ring_kb=64 || fail "insmod in round $round"
	readers=()
	reader follow
	reader poll
	reader late
	kill -STOP "${readers[2]}"
	check "round $round: records flow" \
		wait_for 30 size_above "$WORK/follow.bin" 20000
	check "round $round: rmmod" timeout 60 rmmod tcphs
	check "round $round: it is gone" test ! -e /sys/module/tcphs -a ! -e /proc/tcphs
	check "round $round: the reader in read() ends" wait_for 20 gone "${readers[0]}"
	is "round $round: with end of file" "$(tail -n 1 "$WORK/follow.said")" eof
	check "round $round: the reader in poll() ends" wait_for 20 gone "${readers[1]}"
	is "round $round: with end of file, too" "$(tail -n 1 "$WORK/poll.said")" eof
	kill -CONT "${readers[2]}"
	kill "${readers[2]}"
	check "round $round: the stopped reader ends" wait_for 20 gone "${readers[2]}"
	is "round $round: it got whole records" \
		"$(($(stat -c %s "$WORK/follow.bin") % 128))" 0
done

# Files being opened, read and closed meanwhile.
(
	while :; do
		cat /proc/tcphs/timeline /proc/tcphs/stats /proc/tcphs/filter
		timeout 0.2 cat /proc/tcphs/events
		echo "port 80" >/proc/tcphs/filter
		echo off >/proc/tcphs/filter
	done
) >/dev/null 2>&1 &
defer kill $!
for ((round = 1; round <= ROUNDS * 2; round++)); do
	module_insert ring_kb=64 segments=all || fail "insmod in quick round $round"
	timeout 60 rmmod tcphs || fail "rmmod in quick round $round"
done
check "loaded and unloaded $((ROUNDS * 2)) times more" test ! -e /proc/tcphs
check "the storm still blows" kill -0 "$churn"
kernel_quiet "the kernel did not complain"
finish
