#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Load and unload again and again: under a storm of connections, with readers
# that read, that sleep in poll, and that are killed at any moment, while network
# namespaces come and go, and while the filter is written.
#
#	LOADS=1000	how often (8); `make life` does that
#	TIDES=100	how many namespaces come and go at once (5)
# shellcheck disable=SC2317,SC2329 # some functions are called in the background
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

LOADS=${LOADS:-8}
TIDES=${TIDES:-5}
SLOW=${TCPHS_SLOW:-1}

# count NAME: another one has come that far
count() {
	echo >>"$WORK/$1"
}

# counted NAME: how many have
counted() {
	wc -l 2>/dev/null <"$WORK/$1" || echo 0
}

# tenths FROM TO: sleeps for that many tenths of a second, by chance
tenths() {
	local n=$((($1 + RANDOM % ($2 - $1 + 1)) * SLOW))
	sleep "$((n / 10)).$((n % 10))"
}

# readers HOW: a new one whenever there is a module. Some are killed after a while; the
# others end with the module. Each says "ready", and "eof" if it was not killed.
readers() {
	local pid
	while :; do
		./reader.py "$1" /dev/null <&9 >>"$WORK/readers.$1" 2>/dev/null &
		pid=$!
		tenths 3 15
		[ $((RANDOM % 2)) = 0 ] || kill -KILL "$pid"
		wait "$pid"
	done 2>/dev/null
}

# tide: namespaces with connections in them; when they go, their sockets are
# killed with what hooks them
tide() {
	local name
	while :; do
		for ((i = 0; i < TIDES; i++)); do
			name="tcphs-tide-$i"
			ip netns add "$name"
			ip -n "$name" link set lo up
			timeout $((5 * SLOW)) ip netns exec "$name" python3 -c '
import socket
listener = socket.create_server(("127.0.0.1", 0))
held = [socket.create_connection(listener.getsockname()) for _ in range(3)]
held[0].close()
' &
		done
		wait
		for ((i = 0; i < TIDES; i++)); do
			ip netns del "tcphs-tide-$i" && count tide
		done
	done 2>/dev/null
}

filters() {
	while :; do
		if printf 'port 80 443\nnetns 4026531840\n' >/proc/tcphs/filter; then
			count filters
		fi
		echo off >/proc/tcphs/filter
		cat /proc/tcphs/filter /proc/tcphs/stats
		sleep 0.01
	done >/dev/null 2>&1
}

begin
module_away
netns_add NS_LO
kernel_mark
mkfifo "$WORK/never"
exec 9<>"$WORK/never"
./churn.py --workers 2 "$NS_LO" >"$WORK/churn" 2>&1 &
churn=$!
defer kill $churn
check "the storm blows" wait_for 60 grep -q ready "$WORK/churn"
background tide
background readers follow
background readers poll
background filters

loaded=0 unloaded=0
modes=(handshake all none)
for ((round = 0; round < LOADS; round++)); do
	if module_insert ring_kb=64 "segments=${modes[round % 3]}" 2>>"$WORK/errors"; then
		loaded=$((loaded + 1))
	fi
	# From at once to after a while: now and then for all that go on beside it.
	case $((round % 4)) in
	0) ;;
	1) tenths 20 30 ;;
	*) sleep "0.$((RANDOM % 5))" ;;
	esac
	if timeout $((120 * SLOW)) rmmod tcphs 2>>"$WORK/errors"; then
		unloaded=$((unloaded + 1))
	fi
	if [ -e /proc/tcphs ] || [ -e /sys/module/tcphs ]; then
		fail "round $round leaves nothing" "$(ls /proc/tcphs /sys/module/tcphs)"
		break
	fi
done
gone=$(counted tide)
is "loads" "$loaded" "$LOADS"
is "unloads" "$unloaded" "$LOADS"
[ ! -s "$WORK/errors" ] || comment "$(head -n 20 "$WORK/errors")"
check "the storm still blows" kill -0 "$churn"
check "namespaces came and went meanwhile" test "$gone" -ge "$TIDES"
for how in follow poll; do
	check "readers that $how were there" \
		test "$(grep -c ready "$WORK/readers.$how")" -ge $((LOADS / 4))
	check "and ended with the module, some of them" grep -q eof "$WORK/readers.$how"
done
check "the filter was written" test "$(counted filters)" -ge "$LOADS"
comment "$gone namespaces; the filter was written $(counted filters) times; readers:" \
	"$(grep -h . "$WORK"/readers.* | sort | uniq -c | tr -s '\n ' ' ')"
cleanup
kernel_quiet "the kernel did not complain"
finish
