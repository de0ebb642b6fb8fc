#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Ways on which a segment passes netfilter more than once, or in another network
# namespace than its socket's: NAT that turns a connection to loopback (service meshes),
# IPVS, ipvlan, nft's dup, IPsec. Each is told once, where its socket is. And a listener
# that closes amid a handshake, which another one of its group ends.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# look NETNS DEVICE: capture there from here on
look() {
	ip netns exec "$1" tcpdump -n -i "$2" -Z root -s 160 --immediate-mode -U \
		--time-stamp-precision=nano -w "$WORK/way.pcap" tcp 2>"$WORK/way.err" &
	LOOK=$!
	defer kill $LOOK
	wait_for 30 grep -q 'listening on' "$WORK/way.err" ||
		skip_all "tcpdump does not start: $(cat "$WORK/way.err")"
}

# said NAME FILTER ROLE=NETNS...: the connection is over; was it told right? WAY: what
# each of its timelines must say.
said() {
	local name=$1 filter=$2 role roles=()
	shift 2
	# tcpdump loses what it has not yet taken from the kernel.
	sleep 1
	kill -INT $LOOK
	wait $LOOK
	for role; do
		roles+=("${role%%=*}=$(netns_inode "${role#*=}")")
	done
	"$TCPHS" events --json "$filter" >"$WORK/events.json"
	"$TCPHS" timeline --json "$filter" >"$WORK/timeline.json"
	is "$name: each segment once" \
		"$(./bypath.py judge "$WORK/way.pcap" "$WORK/events.json" "${roles[@]}" 2>&1)" ""
	is "$name: its timelines" "$(python3 -c '
import json, sys
for c in map(json.loads, sys.stdin):
    if c["kind"] == "connection":
        print(c["record"], c["open"], c["close"])
' <"$WORK/timeline.json" | sort -u)" "${WAY:-complete three-way four-way}"
}

# talked NAME ARGUMENT...: whether it was made at all
talked() {
	check "$1" timeout 60 ./bypath.py "${@:2}"
}

redirect() {
	netns_add NS_LO
	ip -n "$NS_LO" -b - <<-EOF
		link add d0 type dummy
		addr add 192.0.2.9/24 dev d0
		link set d0 up
		route add default via 192.0.2.1
	EOF
	if ! ip netns exec "$NS_LO" nft -f - <<-EOF; then
		table ip tcphs {
			chain outgoing {
				type nat hook output priority -100;
				tcp dport 443 redirect to :15001
				tcp dport 444 redirect to :15002
			}
		}
	EOF
		skip "redirect" "no NAT in this kernel"
		return
	fi
	look "$NS_LO" lo
	talked "redirect: made" talk "$NS_LO" 0.0.0.0 15001 "$NS_LO" 203.0.113.5 443
	said "redirect" "port 443 or port 15001" "client=$NS_LO" "server=$NS_LO"
	look "$NS_LO" lo
	talked "redirect, riding ACK: made" ride "$NS_LO" 0.0.0.0 15002 "$NS_LO" 203.0.113.5 444
	said "redirect, riding ACK" "port 444 or port 15002" "client=$NS_LO" "server=$NS_LO"
}

ipvs() {
	DELAY=0 place_netns
	ip -n "$NS_W" link add vip type dummy
	ip -n "$NS_W" addr add 203.0.113.1/32 dev vip
	modprobe -a ip_vs ip_vs_rr 2>/dev/null
	if ! ip netns exec "$NS_W" ./bypath.py ipvs 203.0.113.1 80 198.51.100.2 8080; then
		skip "IPVS" "not in this kernel"
		return
	fi
	look "$NS_S" eth0
	talked "IPVS: made" talk "$NS_S" 198.51.100.2 8080 "$NS_C" 203.0.113.1 80
	said "IPVS" "host 192.0.2.2" "client=$NS_C" "server=$NS_S" "none=$NS_W"
	look "$NS_S" eth0
	talked "IPVS, from its own host: made" talk "$NS_S" 198.51.100.2 8080 "$NS_W" 203.0.113.1 80
	said "IPVS, from its own host" "host 203.0.113.1 or host 198.51.100.1" \
		"client=$NS_W" "server=$NS_S"
}

# MODE: what leaves an ipvlan without a socket: a RST, a SYN cookie, what is forwarded.
socketless() {
	ip -n "$NS_W" -b - <<-EOF
		addr add 2001:db8:9::1/64 dev v0 nodad
		neigh replace 2001:db8:9::2 lladdr 02:00:00:00:00:02 nud permanent dev v0
	EOF
	ip -n "$NS_C" addr add 2001:db8:9::3/64 dev eth0 nodad
	ip -n "$NS_S" -b - <<-EOF
		addr add 2001:db8:9::2/64 dev eth0 nodad
		neigh replace 2001:db8:9::3 lladdr 02:00:00:00:00:01 nud permanent dev eth0
	EOF
	look "$NS_S" eth0
	talked "ipvlan $1, refused: made" refuse "$NS_S" 2001:db8:9::3 82
	WAY="complete refused None" said "ipvlan $1, refused" "port 82" \
		"client=$NS_S" "server=$NS_C" "none=$NS_W"
	ip netns exec "$NS_C" sh -c 'echo 2 >/proc/sys/net/ipv4/tcp_syncookies'
	look "$NS_S" eth0
	talked "ipvlan $1, SYN cookie: made" talk "$NS_C" 192.0.2.3 83 "$NS_S" 192.0.2.3 83
	WAY="complete syn-cookie four-way" said "ipvlan $1, SYN cookie" "port 83" \
		"client=$NS_S" "server=$NS_C" "none=$NS_W"
	# With l3s the netns does no NAT to what arrives: its master has done that.
	[ "$1" = l3 ] || return 0
	netns_add NS_F
	ip -n "$NS_C" -b - <<-EOF
		link add f0 type veth peer name eth0 netns $NS_F
		addr add 192.0.3.1/24 dev f0
		link set f0 up
	EOF
	ip -n "$NS_F" -b - <<-EOF
		addr add 192.0.3.2/24 dev eth0
		link set eth0 up
		route add default via 192.0.3.1
	EOF
	ip netns exec "$NS_C" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	if ! ip netns exec "$NS_C" nft -f - <<-EOF; then
		table ip tcphs {
			chain incoming {
				type nat hook prerouting priority -100;
				tcp dport 84 dnat to 192.0.3.2
			}
		}
	EOF
		skip "ipvlan $1, forwarded" "no NAT in this kernel"
		return
	fi
	look "$NS_S" eth0
	talked "ipvlan $1, forwarded: made" talk "$NS_F" 192.0.3.2 84 "$NS_S" 192.0.2.3 84
	said "ipvlan $1, forwarded" "port 84" \
		"client=$NS_S" "server=$NS_F" "none=$NS_C" "none=$NS_W"
}

# ipvlan MODE
ipvlan() {
	netns_add NS_W
	netns_add NS_C
	netns_add NS_S
	if ! ip -n "$NS_W" -b - <<-EOF; then
		link add v0 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns $NS_S
		addr add 192.0.2.1/24 dev v0
		link set v0 up
		neigh replace 192.0.2.2 lladdr 02:00:00:00:00:02 nud permanent dev v0
		link add link v0 name eth0 netns $NS_C type ipvlan mode $1
	EOF
		skip "ipvlan $1" "not in this kernel"
		return
	fi
	ip -n "$NS_C" -b - <<-EOF
		addr add 192.0.2.3/24 dev eth0
		link set eth0 up
	EOF
	ip -n "$NS_S" -b - <<-EOF
		addr add 192.0.2.2/24 dev eth0
		link set eth0 up
		neigh replace 192.0.2.3 lladdr 02:00:00:00:00:01 nud permanent dev eth0
	EOF
	look "$NS_S" eth0
	talked "ipvlan $1, client: made" talk "$NS_S" 192.0.2.2 80 "$NS_C" 192.0.2.2 80
	said "ipvlan $1, client" "port 80 and host 192.0.2.3" \
		"client=$NS_C" "server=$NS_S" "none=$NS_W"
	look "$NS_S" eth0
	talked "ipvlan $1, server: made" talk "$NS_C" 192.0.2.3 81 "$NS_S" 192.0.2.3 81
	said "ipvlan $1, server" "port 81" "client=$NS_S" "server=$NS_C" "none=$NS_W"
	socketless "$1"
}

dup() {
	DELAY=0 place_netns
	if ! ip netns exec "$NS_S" nft -f - <<-EOF; then
		table ip tcphs {
			chain outgoing {
				type filter hook output priority 0;
				tcp sport 8081 dup to 198.51.100.1 device "eth0"
			}
		}
	EOF
		skip "dup" "not in this kernel"
		return
	fi
	talked "dup: made" talk "$NS_S" 198.51.100.2 8081 "$NS_C" 198.51.100.2 8081
	"$TCPHS" events --json "port 8081" >"$WORK/events.json"
	# The client gets the last FIN twice. Where it answers both, and the server is gone
	# by then, the second answer is answered by a RST: once.
	is "dup: no cookie, nothing out of no socket" "$(python3 -c '
import json, sys
inode, resets = int(sys.argv[1]), set()
for r in map(json.loads, sys.stdin):
    if (r["kind"], r.get("dir"), r["netns"]) == ("segment", "out", inode):
        true = r["flags"] == ["RST"] and r["seq"] not in resets
        resets |= {r["seq"]} if true else set()
        if r["cookie"] or r["socket"] == "none" and not true:
            print(r["flags"], r["seq"])
' "$(netns_inode "$NS_S")" <"$WORK/events.json")" ""
}

# ipcomp NETNS OWN-ADDRESS ADDRESS: what goes from the one to the other is compressed.
# Needs CLIENT and SERVER, both ends' addresses.
ipcomp() {
	ip -n "$1" -b - <<-EOF
		xfrm state add src $CLIENT dst $SERVER proto comp spi 0x1001 comp deflate mode transport
		xfrm state add src $SERVER dst $CLIENT proto comp spi 0x1002 comp deflate mode transport
		xfrm policy add src $2 dst $3 dir out tmpl src $2 dst $3 proto comp mode transport
	EOF
}

# IPComp compresses nothing as short as this, but has it leave once more.
ipsec() {
	local way family=inet
	DELAY=0 place_netns
	for way in "192.0.2.2 198.51.100.2" "2001:db8:1::2 2001:db8:2::2"; do
		CLIENT=${way% *} SERVER=${way#* }
		if ! ipcomp "$NS_C" "$CLIENT" "$SERVER" ||
		   ! ipcomp "$NS_S" "$SERVER" "$CLIENT"; then
			skip "IPsec, $family" "no IPComp in this kernel"
		else
			look "$NS_S" eth0
			talked "IPsec, $family: made" talk "$NS_S" "$SERVER" 8083 \
				"$NS_C" "$SERVER" 8083
			said "IPsec, $family" "port 8083 and host $CLIENT" \
				"client=$NS_C" "server=$NS_S"
		fi
		family=inet6
	done
}

migration() {
	DELAY=150 place_netns
	# 5.10 has the sysctl in its later versions, but nothing that heeds it.
	if ! ip netns exec "$NS_S" grep -q TCPMigrateReqSuccess /proc/net/netstat; then
		skip "migration" "not in this kernel: it came with 5.14"
		return
	fi
	ip netns exec "$NS_S" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_migrate_req'
	look "$NS_S" eth0
	talked "migration: made" migrate "$NS_S" 198.51.100.2 8082 "$NS_C"
	said "migration" "port 8082" "client=$NS_C" "server=$NS_S"
	is "migration: no request has ended" "$(grep -c '"via":"request".*"new":"CLOSE"\|"new":"CLOSE".*"via":"request"' "$WORK/events.json")" 0
}

begin
find_tool
module_use
kernel_mark
redirect
ipvs
ipvlan l3
ipvlan l3s
dup
ipsec
migration
kernel_quiet "the kernel has not complained"
finish
