#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The part of `make demo` that runs in the VM: as on any test machine, load the
# module, let programs talk, and ask what happened.
#
# usage: scripts/demo-guest.sh auto|always|never	(colour)
#
# Two network namespaces stand for two hosts 20 ms apart, each way 10 ms:
#
#	client 192.0.2.1 2001:db8::1 [eth0]----[eth0] server 192.0.2.2 2001:db8::2

set -eu
cd "$(dirname "$0")/.."
color=$1
tcphs=user/tcphs
talk=scripts/demo-talk.py

heading() {
	printf '\n######## %s\n\n' "$*"
}

show() {
	printf '$ %s\n' "$*"
}

# inside NETNS COMMAND...: "-" is this namespace
inside() {
	local netns=$1
	shift
	if [ "$netns" = - ]; then
		"$@"
	else
		ip netns exec "$netns" "$@"
	fi
}

# talk CLIENT-NETNS SERVER-NETNS HOW ADDRESS PORT: one connection between two
# processes
talk() {
	local client=$1 server=$2 ready
	shift 2
	ready=$(mktemp -u)
	mkfifo "$ready"
	inside "$server" python3 "$talk" server "$@" >"$ready" &
	read -r _ <"$ready"
	inside "$client" python3 "$talk" client "$@"
	wait $!
	rm "$ready"
}

two_hosts() {
	local host
	for host in client server; do
		ip netns add "$host"
		ip -n "$host" link set lo up
	done
	ip -n client link add eth0 type veth peer name eth0 netns server
	ip -n client addr add 192.0.2.1/24 dev eth0
	ip -n client addr add 2001:db8::1/64 dev eth0 nodad
	ip -n server addr add 192.0.2.2/24 dev eth0
	ip -n server addr add 2001:db8::2/64 dev eth0 nodad
	for host in client server; do
		ip -n "$host" link set eth0 up
		tc -n "$host" qdisc add dev eth0 root netem delay 10ms
	done
	# Neighbours get to know each other, so that no SYN waits for that.
	ip netns exec client ping -q -c 1 192.0.2.2 >/dev/null
	ip netns exec client ping -q -c 1 2001:db8::2 >/dev/null
}

show insmod tcphs.ko
insmod tcphs.ko
two_hosts

heading "made: on one host, IPv4 and IPv6, four connections each"
for address in 127.0.0.1 ::1; do
	echo "$address port 7001: the client closes"
	talk - - client-closes "$address" 7001
	echo "$address port 7002: the server closes"
	talk - - server-closes "$address" 7002
	echo "$address port 7003: nobody listens"
	python3 "$talk" refused "$address" 7003
	echo "$address port 7004: the client resets (SO_LINGER 0)"
	talk - - client-resets "$address" 7004
done
echo "192.0.2.2 port 7005: from another host, 20 ms away; the client closes"
talk client server client-closes 192.0.2.2 7005
echo "2001:db8::2 port 7005: the same, and the server closes"
talk client server server-closes 2001:db8::2 7005

heading "every connection: list"
show tcphs list
"$tcphs" --color="$color" list

heading "and how each went: timeline"
show tcphs timeline
"$tcphs" --color="$color" timeline

heading "the same without the reader: the first lines of /proc/tcphs/timeline"
show "head -n 48 /proc/tcphs/timeline"
head -n 48 /proc/tcphs/timeline

heading "and out again"
show rmmod tcphs
rmmod tcphs
