#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Between the ends is a process, as with OpenVPN, tailscaled or slirp4netns. It brings
# each segment into the stack itself, not by a softirq: what that brings about is not
# its doing.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# place_carried: as place_netns, with that process for a wire
place_carried() {
	netns_add NS_C
	netns_add NS_S
	note_netns "$NS_C" "$NS_C"
	note_netns "$NS_S" "$NS_S"
	[ -e /dev/net/tun ] || modprobe tun || skip_all "no tap devices in this kernel"
	./carrier.py "$NS_C" "$NS_S" >"$WORK/carrier" 2>"$WORK/carrier.err" &
	CARRIER=$!
	defer kill $CARRIER
	wait_for 30 grep -q ready "$WORK/carrier" ||
		skip_all "no tap device can be made: $(tail -n 1 "$WORK/carrier.err")"
	carried_end "$NS_C" 192.0.2.2/24 2001:db8:1::2/64
	carried_end "$NS_S" 198.51.100.2/24 2001:db8:2::2/64
	carried_route "$NS_C" 198.51.100.2 2001:db8:2::2 "$(carried_mac "$NS_S")"
	carried_route "$NS_S" 192.0.2.2 2001:db8:1::2 "$(carried_mac "$NS_C")"
	PLACES+=(--place "netns,$NS_C,$NS_S,192.0.2.2,198.51.100.2,2001:db8:1::2,2001:db8:2::2")
	CAPTURES+=("$NS_C eth0 198.51.100.2" "$NS_S eth0 192.0.2.2")
}

carried_end() {
	ip -n "$1" addr add "$2" dev eth0
	ip -n "$1" addr add "$3" dev eth0 nodad
	ip -n "$1" link set eth0 up
}

carried_mac() {
	ip netns exec "$1" cat /sys/class/net/eth0/address
}

# carried_route NETNS ADDRESS ADDRESS MAC
carried_route() {
	local address
	for address in "$2" "$3"; do
		ip -n "$1" route add "$address" dev eth0
		ip -n "$1" neigh replace "$address" lladdr "$4" nud permanent dev eth0
	done
}

begin
find_tool
module_use
kernel_mark
place_carried
window_open
window_traffic close close,first=server half_close reset_linger reset_unread refused
window_close
window_judge
is "whoever carries the segments has done nothing" \
	"$(grep -cE "\"pid\": ?$CARRIER\b|\"carrier\"" "$WORK/events.json" "$WORK/timeline.json" |
		tr '\n' ' ' | sed "s|$WORK/||g")" "events.json:0 timeline.json:0 "
kernel_quiet "the kernel has not complained"
finish
