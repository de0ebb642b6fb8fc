#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Packets that nobody sends, as fast as can be (hostile_packets.py): over a wire to
# a host with listeners and connections, and out of raw sockets through its own
# output. Meanwhile readers read. The kernel stays sound, what was recorded can be
# read, and a connection after it all is told as ever.
# TCPHS_SEED= which packets, TCPHS_SECONDS= how long each of the three ways (15).
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

seconds=${TCPHS_SECONDS:-15}
seed=${TCPHS_SEED:-$RANDOM}

stat_of() {
	sed -n "s/^$1 //p" /proc/tcphs/stats
}

# hostile NAME COMMAND...: the packets are sent, and some leave a record
hostile() {
	local name=$1 before said
	shift
	before=$(stat_of segments)
	said=$("$@" 2>&1) || fail "$name: the packets are sent" "$said"
	comment "$name: $said; segments recorded: $(($(stat_of segments) - before))"
	check "$name: thousands were sent" test "${said%% *}" -ge $((2000 / ${TCPHS_SLOW:-1}))
	contains "$name: with all flags" "$said" " 256 combinations"
	check "$name: hundreds were recorded" test $(($(stat_of segments) - before)) -ge 200
}

begin
find_tool
module_load segments=all ring_kb=4096
kernel_mark
comment "TCPHS_SEED=$seed"
netns_add NS_A
netns_add NS_V
ip link add name eth0 netns "$NS_V" type veth peer name wire netns "$NS_A"
ip -n "$NS_A" link set wire up
ip -n "$NS_V" link set eth0 up
ip -n "$NS_V" address add 192.0.2.1/24 dev eth0
ip -n "$NS_V" address add 2001:db8::1/64 dev eth0 nodad
# Packets that say they are from here are let in from the wire; and an answer to
# nobody finds its way out.
# shellcheck disable=SC2016 # expanded in there
ip netns exec "$NS_V" sh -c '
	for key in all eth0; do
		echo 1 >/proc/sys/net/ipv4/conf/$key/accept_local
		echo 0 >/proc/sys/net/ipv4/conf/$key/rp_filter
		echo 1 >/proc/sys/net/ipv4/conf/$key/accept_source_route
		echo 1 >/proc/sys/net/ipv6/conf/$key/accept_source_route
		echo 1 >/proc/sys/net/ipv6/conf/$key/seg6_enabled 2>/dev/null
	done
	ip route add default via 192.0.2.2
	ip -6 route add default via 2001:db8::2
	ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:01 dev eth0
	ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:01 dev eth0'
PEER=$(ip netns exec "$NS_V" cat /sys/class/net/eth0/address)
export PEER

mkfifo "$WORK/end"
exec 9<>"$WORK/end"
ip netns exec "$NS_V" ./hostile_packets.py hold 192.0.2.1 2001:db8::1 127.0.0.1 ::1 \
	<&9 >"$WORK/targets" 2>"$WORK/hold.err" &
holder=$!
defer kill $holder
check "there are listeners and connections" wait_for 240 grep -q ready "$WORK/targets"
readarray -t targets < <(grep , "$WORK/targets")
outside=()
for target in "${targets[@]}"; do
	case "$target" in
	127.* | ::1,*) ;;
	# Out of the wire their partner may be anybody.
	*) outside+=("$target" "${target/%,192.0.2.1,*/,192.0.2.2,4000}") ;;
	esac
done

"$TCPHS" live >"$WORK/live" 2>"$WORK/live.err" &
live=$!
defer kill $live
"$TCPHS" record --output="$WORK/all.tcphs" 2>/dev/null &
record=$!
defer kill $record

hostile "from the wire" ip netns exec "$NS_A" \
	./hostile_packets.py wire wire "$seconds" "$seed" "${outside[@]}"
hostile "out of raw sockets" ip netns exec "$NS_V" \
	./hostile_packets.py raw "$seconds" "$seed" "${targets[@]}"
# The filter meets them, too.
port=${targets[0]#*,}
echo "port ${port%%,*}" >/proc/tcphs/filter
hostile "through a filter" ip netns exec "$NS_A" \
	./hostile_packets.py wire wire "$seconds" "$seed" "${outside[@]}"
echo off >/proc/tcphs/filter

check "the connections' process lives" kill -0 $holder
check "live still follows" kill -0 $live
kill -INT $live $record
wait $live
is "live ended well" $? 0
wait $record
is "the recording ended well" $? 0
for how in events timeline list; do
	check "tcphs $how --json: rows, each of them JSON" sh -c "
		'$TCPHS' --read='$WORK/all.tcphs' $how --json >'$WORK/rows' 2>'$WORK/rows.err' &&
		[ ! -s '$WORK/rows.err' ] && python3 -c '
import json, sys
for line in open(sys.argv[1]):
    json.loads(line)' '$WORK/rows' && [ -s '$WORK/rows' ]"
done
check "the text file can be read" sh -c "[ \$(wc -l </proc/tcphs/timeline) -gt 100 ]"

# As ever.
echo "netns $(netns_inode "$NS_A")" >/proc/tcphs/filter
./churn.py --count 3 --workers 1 "$NS_A" >/dev/null
is "connections after it are told completely" "$("$TCPHS" list --json \
	--netns="$(netns_inode "$NS_A")" | grep '"kind": *"connection"' |
	grep -c '"record": *"complete"')" 3
check "the module goes" rmmod tcphs
kernel_quiet "the kernel did not complain"
finish
