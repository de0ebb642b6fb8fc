#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Load and unload again and again: under a storm of connections, with readers
# that read, that sleep in poll, and that are killed at any moment, while network
# namespaces come and go, and while the filter is written.
#
#	LOADS=1000	how often (8)
#	TIDES=100	how many namespaces come and go at once (5)
# shellcheck disable=SC2317,SC2329 # some functions are called in the background
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

LOADS=${LOADS:-8}
TIDES=${TIDES:-5}

# readers HOW: a new one whenever there is a module; each is killed after a while
readers() {
	local pid
	while :; do
		./reader.py "$1" /dev/null <&9 >/dev/null 2>&1 &
		pid=$!
		sleep "0.$((RANDOM % 9 + 1))"
		kill -KILL "$pid"
		wait "$pid"
	done 2>/dev/null
}

# tide: namespaces with connections in them; when they go, their sockets are
# killed with what hooks them
tide() {
	local name number=0
	while :; do
		for ((i = 0; i < TIDES; i++)); do
			name="tcphs-tide-$i"
			ip netns add "$name"
			ip -n "$name" link set lo up
			timeout 5 ip netns exec "$name" python3 -c '
import socket
listener = socket.create_server(("127.0.0.1", 0))
held = [socket.create_connection(listener.getsockname()) for _ in range(3)]
held[0].close()
' &
		done
		wait
		for ((i = 0; i < TIDES; i++)); do
			ip netns del "tcphs-tide-$i" && number=$((number + 1))
		done
		echo "$number" >"$WORK/tide"
	done 2>/dev/null
}

filters() {
	while :; do
		{ printf 'port 80 443\nnetns 4026531840\n' >/proc/tcphs/filter
		echo off >/proc/tcphs/filter
		cat /proc/tcphs/filter /proc/tcphs/stats; }
	done >/dev/null 2>&1
}

# background FUNCTION...: and what it has started ends with it
background() {
	set -m
	"$@" &
	set +m
	defer kill -KILL -- -$!
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
	# From at once to after a while.
	[ $((round % 4)) = 0 ] || sleep "0.$((RANDOM % 5))"
	if timeout $((120 * ${TCPHS_SLOW:-1})) rmmod tcphs 2>>"$WORK/errors"; then
		unloaded=$((unloaded + 1))
	fi
	if [ -e /proc/tcphs ] || [ -e /sys/module/tcphs ]; then
		fail "round $round leaves nothing" "$(ls /proc/tcphs /sys/module/tcphs)"
		break
	fi
done
is "loads" "$loaded" "$LOADS"
is "unloads" "$unloaded" "$LOADS"
[ ! -s "$WORK/errors" ] || comment "$(head -n 20 "$WORK/errors")"
check "the storm still blows" kill -0 "$churn"
check "namespaces came and went meanwhile" wait_for 120 test -s "$WORK/tide"
comment "$(cat "$WORK/tide") namespaces"
cleanup
kernel_quiet "the kernel did not complain"
finish
