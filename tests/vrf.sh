#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The server's device belongs to a VRF (l3mdev). What leaves there passes netfilter
# twice, with the VRF as its device and with the one below; and what comes has the VRF
# as its device. Each segment is told once, and with its socket.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# The server's end of place_netns, its device put into a VRF
place_vrf() {
	ip -n "$NS_S" link add vrf0 type vrf table 100 || skip_all "no VRF in this kernel"
	# With the device go its routes, neighbours and addresses of IPv6.
	ip -n "$NS_S" -b - <<-EOF
		link set vrf0 up
		link set eth0 master vrf0
		addr flush dev eth0
		addr add 198.51.100.2/24 dev eth0
		addr add 2001:db8:2::2/64 dev eth0 nodad
		neigh replace 198.51.100.1 lladdr 02:00:00:00:00:51 nud permanent dev eth0
		neigh replace 2001:db8:2::1 lladdr 02:00:00:00:00:51 nud permanent dev eth0
		route add vrf vrf0 default via 198.51.100.1
		route add vrf vrf0 default via 2001:db8:2::1
	EOF
	# What is not bound to a device goes there, too.
	ip -n "$NS_S" route add default dev vrf0
	# A listener that is not bound to a device serves all VRFs; the VRF's address is
	# not one of its own.
	ip netns exec "$NS_S" sh -c 'cd /proc/sys/net && echo 1 |
		tee ipv4/tcp_l3mdev_accept ipv4/ip_nonlocal_bind ipv6/ip_nonlocal_bind' >/dev/null
}

# segments NETNS: how many are told of its connections, and how many of them are
# called retransmitted
segments() {
	python3 -c '
import json, sys
rows = [r for r in map(json.loads, open(sys.argv[2])) if r["kind"] == "segment" and
        r["netns"] == int(sys.argv[1])]
print(len(rows), sum(r["retransmit"] for r in rows))
' "$(netns_inode "$1")" "$WORK/events.json"
}

# resent NETNS...: segments that the kernel has sent once more there
resent() {
	local netns
	for netns; do
		ip netns exec "$netns" cat /proc/net/snmp
	done | awk '
		/^Tcp: [^0-9]/ { for (i = 2; i <= NF; i++) if ($i == "RetransSegs") at = i; next }
		/^Tcp:/ { sum += $at }
		END { print sum + 0 }'
}

# story WHAT COMMAND...: connections, once COMMAND has been
story() {
	local count again
	comment "$1"
	places_forget
	place_netns
	place_vrf
	shift
	"$@"
	window_open
	window_traffic close close,first=server reset_linger
	window_close
	window_judge
	read -r count again <<<"$(segments "$NS_S")"
	check "segments are told" test "$count" -gt 0
	# A slow machine does send some again; each is told at its two ends at the most.
	check "none twice, but what was sent twice" test "$again" -le "$(resent "$NS_C" "$NS_S")"
}

# With a queue the VRF has packets come to it by way of that.
# shellcheck disable=SC2317,SC2329 # story() calls it
queue() {
	tc -n "$NS_S" qdisc add dev vrf0 root pfifo
}

begin
find_tool
module_use
kernel_mark
story "without a queue" :
story "with a queue" queue
kernel_quiet "the kernel has not complained"
finish
