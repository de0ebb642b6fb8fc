# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2119,SC2120
# Networks for the tests, and the window of time in which the witnesses look.
# Source lib.sh first.
#
# Two places, both out of namespaces with random names:
#
#	loopback   [ $NS_LO: lo 127.0.0.1 ::1, client and server ]
#
#	netns      [ $NS_C ]------------[ $NS_W ]-------------[ $NS_S ]
#	           client  192.0.2.2    forwards,  198.51.100.2  server
#	           2001:db8:1::2        $DELAY ms  2001:db8:2::2
#	                                each way
#
# $NS_W is the wire: no TCP ends there, so nothing may be recorded there. The
# delay is there too, so that a capture at an end has that end's times.
#
# With LO_DELAY=MS what loopback sends takes its time, too. With NOWHERE=1 what loopback's ends send to spoofed addresses is captured, too.
#
# A test's window:
#
#	begin; find_tool; module_use
#	place_loopback; place_netns
#	window_open		ftrace and tcpdump begin
#	window_traffic CASE...	traffic.py; at its end the tool is asked
#	window_close		they end; it fails if they lost anything
#	window_judge		judge.py compares the tool with the witnesses

DELAY=${DELAY:-10}
PLACES=()	# for traffic.py
CAPTURES=()	# "NETNS INTERFACE ADDRESS-TO-SEND-A-MARK-TO"

# netns_add VARIABLE: a new namespace; its name goes into VARIABLE
netns_add() {
	local name
	name=tcphs-$(mktemp -u XXXXXX)
	ip netns add "$name" || skip_all "cannot make a network namespace"
	defer ip netns del "$name"
	# Addresses of IPv6 are good at once, without looking for duplicates.
	ip netns exec "$name" sh -c \
		'cd /proc/sys/net/ipv6/conf && echo 0 | tee all/accept_dad default/accept_dad' >/dev/null
	ip -n "$name" link set lo up
	# From 6.5 on the first four SYNs come a second apart: here 1, 2, 4 ... s, too.
	ip netns exec "$name" sh -c \
		'[ ! -e /proc/sys/net/ipv4/tcp_syn_linear_timeouts ] || echo 0 >/proc/sys/net/ipv4/tcp_syn_linear_timeouts'
	printf -v "$1" %s "$name"
}

# netns_inode NAME: the number by which the tool calls it
netns_inode() {
	stat -L -c %i "/run/netns/$1"
}

# netns_unused VARIABLE: as netns_add, of a number that no record has: a number is
# given anew at once, and what the last namespace of it left in TIME_WAIT may have
# ended after the module was loaded. Needs $TCPHS and the module.
netns_unused() {
	local tries
	for ((tries = 0; tries < 10; tries++)); do
		netns_add "$1"
		[ -n "$("$TCPHS" events --netns "$(netns_inode "${!1}")" 2>/dev/null)" ] || return 0
	done
	skip_all "every network namespace has records already"
}

# note_netns NETNS NAME: what judge.py calls it
note_netns() {
	echo "$2 $(netns_inode "$1")" >>"$WORK/netns"
}

place_loopback() {
	netns_add NS_LO
	[ -z "${LO_DELAY:-}" ] || tc -n "$NS_LO" qdisc add dev lo root netem delay "${LO_DELAY}ms" ||
		skip_all "no netem in this kernel"
	note_netns "$NS_LO" "$NS_LO"
	PLACES+=(--place "loopback,$NS_LO,$NS_LO,127.0.0.1,127.0.0.1,::1,::1")
	CAPTURES+=("$NS_LO lo 127.0.0.1")
	[ -z "${NOWHERE:-}" ] || place_nowhere
}

# Where a loopback's answers to spoofed addresses go: rows.py routes them there
place_nowhere() {
	ip -n "$NS_LO" link add nowhere type dummy || skip_all "no dummy device in this kernel"
	ip -n "$NS_LO" link set nowhere up
	ip -n "$NS_LO" route add 10.0.0.0/8 dev nowhere
	CAPTURES+=("$NS_LO nowhere 10.0.0.1")
}

place_netns() {
	local device
	netns_add NS_C
	netns_add NS_W
	netns_add NS_S
	note_netns "$NS_C" "$NS_C"
	note_netns "$NS_W" wire
	note_netns "$NS_S" "$NS_S"
	# Neighbours are told, not asked for: the question would be delayed, too,
	# and the first segment wait for its answer after the tool has seen it.
	ip -n "$NS_W" -b - <<-EOF
		link add c0 address 02:00:00:00:00:c1 type veth peer name eth0 address 02:00:00:00:00:c2 netns $NS_C
		link add s0 address 02:00:00:00:00:51 type veth peer name eth0 address 02:00:00:00:00:52 netns $NS_S
		addr add 192.0.2.1/24 dev c0
		addr add 2001:db8:1::1/64 dev c0 nodad
		addr add 198.51.100.1/24 dev s0
		addr add 2001:db8:2::1/64 dev s0 nodad
		link set c0 up
		link set s0 up
		neigh add 192.0.2.2 lladdr 02:00:00:00:00:c2 nud permanent dev c0
		neigh add 2001:db8:1::2 lladdr 02:00:00:00:00:c2 nud permanent dev c0
		neigh add 198.51.100.2 lladdr 02:00:00:00:00:52 nud permanent dev s0
		neigh add 2001:db8:2::2 lladdr 02:00:00:00:00:52 nud permanent dev s0
	EOF
	ip -n "$NS_C" -b - <<-EOF
		addr add 192.0.2.2/24 dev eth0
		addr add 2001:db8:1::2/64 dev eth0 nodad
		link set eth0 up
		neigh add 192.0.2.1 lladdr 02:00:00:00:00:c1 nud permanent dev eth0
		neigh add 2001:db8:1::1 lladdr 02:00:00:00:00:c1 nud permanent dev eth0
		route add default via 192.0.2.1
		route add default via 2001:db8:1::1
	EOF
	ip -n "$NS_S" -b - <<-EOF
		addr add 198.51.100.2/24 dev eth0
		addr add 2001:db8:2::2/64 dev eth0 nodad
		link set eth0 up
		neigh add 198.51.100.1 lladdr 02:00:00:00:00:51 nud permanent dev eth0
		neigh add 2001:db8:2::1 lladdr 02:00:00:00:00:51 nud permanent dev eth0
		route add default via 198.51.100.1
		route add default via 2001:db8:2::1
	EOF
	# shellcheck disable=SC2016 # expanded in there
	ip netns exec "$NS_W" sh -c '
		echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	if [ "$DELAY" != 0 ]; then
		for device in c0 s0; do
			tc -n "$NS_W" qdisc add dev $device root netem \
				delay "${DELAY}ms" limit 100000 ||
				skip_all "no netem in this kernel"
		done
	fi
	PLACES+=(--place "netns,$NS_C,$NS_S,192.0.2.2,198.51.100.2,2001:db8:1::2,2001:db8:2::2")
	CAPTURES+=("$NS_C eth0 198.51.100.2" "$NS_S eth0 192.0.2.2")
}

# loopback_patient, netns_patient: there nothing is sent again within a second. On a
# machine that stands still for a while a FIN would be, and its second answer find no
# socket: the RST ends TIME_WAIT (RFC 1337). For tests that are not about that.
loopback_patient() {
	ip -n "$NS_LO" -b - <<-EOF
		route change local 127.0.0.1 dev lo table local scope host src 127.0.0.1 rto_min 1s
		route del local ::1 dev lo table local
		route add local ::1 dev lo table local rto_min 1s
	EOF
}

netns_patient() {
	ip -n "$NS_C" -b - <<-EOF
		route change default via 192.0.2.1 rto_min 1s
		route change default via 2001:db8:1::1 rto_min 1s
	EOF
	ip -n "$NS_S" -b - <<-EOF
		route change default via 198.51.100.1 rto_min 1s
		route change default via 2001:db8:2::1 rto_min 1s
	EOF
}

# places_forget: for another window in places of its own
places_forget() {
	PLACES=() CAPTURES=()
	rm -f "$WORK"/*.pcap "$WORK"/*.err "$WORK/netns"
	rm -rf "$WORK/trace"
}

# wire_drop RULE...: the wire loses what the rules of nft(8) match; each end has
# seen what it sent. In a rule `once` stands for: the first one between two ports;
# @fins is a set for rules that need one.
wire_drop() {
	local rule once
	command -v nft >/dev/null || skip_all "no nft on this machine"
	once='tcp sport . tcp dport != @seen add @seen { tcp sport . tcp dport } drop'
	{
		echo 'table inet tcphs {'
		echo ' set seen { type inet_service . inet_service; flags dynamic; size 1024; }'
		echo ' set fins { type inet_service . inet_service; flags dynamic; size 1024; }'
		echo ' chain wire { type filter hook forward priority 0; policy accept;'
		for rule in "$@"; do
			echo "  ${rule/%once/$once}"
		done
		echo ' }'
		echo '}'
	} | ip netns exec "$NS_W" nft -f - || skip_all "nft does not take: $*"
}

# ------------------------------------------------------------------ witnesses

TRACING=/sys/kernel/tracing
trace=
captures=()	# process ids

# window_open [TRACE_KB]: the witnesses look from here on
window_open() {
	local capture netns device file cpu

	[ -e $TRACING/instances ] || mount -t tracefs nodev $TRACING ||
		skip_all "no tracefs in this kernel"
	[ -e $TRACING/events/sock/inet_sock_set_state ] ||
		skip_all "ftrace has no sock:inet_sock_set_state"
	trace=$TRACING/instances/tcphs.$$
	mkdir "$trace" || skip_all "cannot make an ftrace instance"
	defer rmdir "$trace"
	echo mono >"$trace/trace_clock"
	echo "${1:-2048}" >"$trace/buffer_size_kb"
	for cpu in "$trace"/per_cpu/cpu*; do
		echo >"$cpu/trace"
	done
	echo 1 >"$trace/events/sock/inet_sock_set_state/enable"
	mkdir -p "$WORK/trace"
	cp "$trace/events/sock/inet_sock_set_state/format" \
		$TRACING/events/header_page "$WORK/trace"

	for capture in "${CAPTURES[@]}"; do
		read -r netns device _ <<<"$capture"
		file=$WORK/$netns.$device
		ip netns exec "$netns" tcpdump -n -i "$device" -Z root -s 160 \
			-B 16384 --immediate-mode -U -w "$file.pcap" \
			--time-stamp-precision=nano "${CAPTURED:-tcp or udp port 9}" 2>"$file.err" &
		captures+=($!)
		defer kill $!
	done
	for capture in "${CAPTURES[@]}"; do
		read -r netns device _ <<<"$capture"
		wait_for 30 grep -q 'listening on' "$WORK/$netns.$device.err" ||
			skip_all "tcpdump does not start: $(cat "$WORK/$netns.$device.err")"
	done
}

# window_traffic [OPTION...] CASE...: real connections; at their end, while
# their processes still hold them, ask_tool
window_traffic() {
	cat >"$WORK/ask" <<-EOF
		set -e
		$(ask_tool)
		cp /proc/tcphs/stats '$WORK/stats.txt'
	EOF
	if ! ./traffic.py "${PLACES[@]}" --at-end "sh '$WORK/ask'" "$@" \
		>"$WORK/truth.json" 2>"$WORK/traffic.err"; then
		fail "the traffic was made" "$(tail -n 30 "$WORK/traffic.err")"
		finish
	fi
}

# ask_tool: shell commands; a test may have its own
ask_tool() {
	echo "'$TCPHS' events --json >'$WORK/events.json'"
	echo "'$TCPHS' timeline --json >'$WORK/timeline.json'"
	echo "'$TCPHS' stats --json >'$WORK/stats.json'"
}

# A tcpdump that is stopped throws away what still waits for it in the kernel.
# So let a packet go through each capture, and wait until it is in the file.
mark_captures() {
	local capture netns device address
	for capture in "${CAPTURES[@]}"; do
		read -r netns device address <<<"$capture"
		ip netns exec "$netns" bash -c \
			"echo tcphs-mark-from-$netns >/dev/udp/$address/9"
	done
	for capture in "${CAPTURES[@]}"; do
		read -r netns device address <<<"$capture"
		for mark in "${CAPTURES[@]}"; do
			mark=${mark%% *}
			# The loopback place is a world of its own.
			[ "$netns" = "$mark" ] || [ "$netns" != "${NS_LO:-}" ] || continue
			[ "$netns" = "$mark" ] || [ "$mark" != "${NS_LO:-}" ] || continue
			wait_for 30 grep -aq "tcphs-mark-from-$mark" \
				"$WORK/$netns.$device.pcap" || return 1
		done
	done
}

# window_close: the witnesses look away; an incomplete witness is a failure
window_close() {
	local cpu name lost pid capture netns device

	mark_captures || fail "tcpdump has seen everything"
	echo 0 >"$trace/tracing_on"
	for pid in "${captures[@]}"; do
		kill -INT "$pid"
		wait "$pid"
	done
	captures=()
	for capture in "${CAPTURES[@]}"; do
		read -r netns device _ <<<"$capture"
		grep -qx '0 packets dropped by kernel' "$WORK/$netns.$device.err" ||
			fail "tcpdump lost nothing" "$(cat "$WORK/$netns.$device.err")"
	done
	for cpu in "$trace"/per_cpu/cpu*; do
		name=${cpu##*/}
		lost=$(grep -E '^(overrun|commit overrun|dropped events): ' "$cpu/stats" |
			grep -v ': 0$')
		[ -z "$lost" ] || fail "ftrace lost nothing" "$lost"
		dd if="$cpu/trace_pipe_raw" of="$WORK/trace/$name.raw" bs=4096 \
			iflag=nonblock 2>/dev/null
	done
	echo 0 >"$trace/events/sock/inet_sock_set_state/enable"
	rmdir "$trace"
}

# window_judge [OPTION...]: a result for each connection, and for the whole
window_judge() {
	relayed ./judge.py "$@" "$WORK"
}

# row ROW [PARAMETER=VALUE...]: a whole test of rows.py; what it leaves is in
# $WORK, the end is the caller's, who may have a function row_begins
row() {
	local row=$1
	shift
	begin
	find_tool
	if [ $# = 0 ]; then
		module_use
	else
		module_load "$@"
	fi
	kernel_mark
	place_loopback
	place_netns
	window_open 8192
	! declare -F row_begins >/dev/null || row_begins
	ask_tool >"$WORK/ask"
	if ! ./rows.py "${PLACES[@]}" --wire "$NS_W" --at-end "sh -e '$WORK/ask'" "$row" \
		>"$WORK/truth.json" 2>"$WORK/traffic.err"; then
		fail "the traffic was made" "$(tail -n 30 "$WORK/traffic.err")"
		finish
	fi
	window_close
	relayed ./told.py "$WORK"
	[ -n "${ROW_WITHOUT_ACCOUNT:-}" ] ||
		relayed ./account.py --no-verdicts "$WORK"
	kernel_quiet "the kernel has not complained"
}

# judged CASE...: a whole test in both places
judged() {
	begin
	find_tool
	module_use
	place_loopback
	place_netns
	loopback_patient
	netns_patient
	window_open
	window_traffic "$@"
	window_close
	window_judge
	finish
}
