#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the module was watching lives on after it: half-open requests, TIME_WAIT
# and every other kind of socket end after rmmod as if nothing had been there; a
# file that was open when the module went gives an error and nothing else.
# shellcheck disable=SC2317,SC2329 # called by wait_for
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# count STATE: sockets in that state, TIME_WAIT and requests included
count() {
	ip netns exec "$NS_LO" python3 - "$1" <<-'EOF2'
		import sys
		want = sys.argv[1]
		print(sum(line.split()[3] == want for name in ("tcp", "tcp6")
		          for line in list(open("/proc/net/" + name))[1:]))
	EOF2
}

none_left() {
	[ "$(count 06)" = 0 ]
}

begin
module_load ring_kb=64
netns_add NS_LO
kernel_mark
# Held: an established pair, a half-closed pair, a listener with a full queue.
ip netns exec "$NS_LO" python3 - "$WORK" >"$WORK/said" 2>&1 <<-'EOF2' &
	import os, socket, sys, time
	work = sys.argv[1]
	families = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
	held = []
	for family, addr in families:
	    listener = socket.create_server((addr, 0), family=family)
	    full = socket.create_server((addr, 0), family=family, backlog=0)
	    def pair():
	        client = socket.create_connection(listener.getsockname()[:2])
	        return client, listener.accept()[0]
	    held += [listener, full, pair()]
	    half = pair()
	    half[0].shutdown(socket.SHUT_WR)
	    held.append(half)
	    for _ in range(20):			# TIME_WAIT
	        client, server = pair()
	        client.close()
	        server.close()
	    for _ in range(4):			# requests, and SYN_SENT
	        client = socket.socket(family)
	        client.setblocking(False)
	        client.connect_ex(full.getsockname()[:2])
	        held.append(client)
	print("ready", flush=True)
	while not os.path.exists(work + "/go"):
	    time.sleep(0.1)
	# Everything ends without the module.
	for item in held:
	    for sock in item if isinstance(item, tuple) else (item,):
	        sock.close()
	print("closed", flush=True)
EOF2
holder=$!
defer kill $holder
check "connections of every kind" wait_for 60 grep -q ready "$WORK/said"
before=$(count 06)
check "sockets are left in TIME_WAIT" test "$before" -ge 30
exec 8</proc/tcphs/events 7</proc/tcphs/timeline 6</proc/tcphs/stats \
	5<>/proc/tcphs/filter 4</proc/tcphs
check "rmmod with every file open" timeout 60 rmmod tcphs
check "nothing is left" test ! -e /proc/tcphs -a ! -e /sys/module/tcphs
for file in 8:events 7:timeline 6:stats 5:filter; do
	is "${file#*:}, still open, gives nothing" "$(head -c 1 <&"${file%%:*}" 2>/dev/null | wc -c)" 0
	contains "${file#*:}, still open, gives an error" "$(head -c 1 <&"${file%%:*}" 2>&1)" "Input/output error"
done
said=$( (echo off >&5) 2>&1)
contains "writing to the filter, still open" "$said" "Input/output error"
exec 8<&- 7<&- 6<&- 5<&- 4<&-
check "TIME_WAIT goes on" test "$(count 06)" -gt 0
touch "$WORK/go"
check "everything ends" wait_for 60 grep -q closed "$WORK/said"
check "the module loads again, with the old TIME_WAIT sockets there" module_insert
check "TIME_WAIT ends" wait_for 180 none_left
check "rmmod" timeout 60 rmmod tcphs
kernel_quiet "the kernel did not complain"
finish
