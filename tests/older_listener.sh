#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A server that was there before the module: its listening sockets are told, and
# their counts; bound to one address and to every address.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_away
netns_add NS_LO
load=(modprobe tcphs)
[ -z "$TCPHS_KO" ] || load=(insmod "$TCPHS_KO")

ip netns exec "$NS_LO" python3 - "$WORK" "$TCPHS" "${load[@]}" >"$WORK/ports" \
	2>"$WORK/err" <<-'EOF_PYTHON' || fail "the connections were made" "$(tail "$WORK/err")"
	import socket, subprocess, sys
	work, tcphs, load = sys.argv[1], sys.argv[2], sys.argv[3:]
	socks = []
	for family, addr in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"),
	                     (socket.AF_INET6, "::1"), (socket.AF_INET6, "::")):
	    listener = socket.socket(family)
	    listener.bind((addr, 0))
	    listener.listen(8)
	    socks.append(listener)
	subprocess.run(load, check=True)
	for listener, to in zip(socks, (
	        ("127.0.0.1",) * 3, ("127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.3"),
	        ("::1",) * 2, ("::1", "127.0.0.1", "127.0.0.2"))):
	    addr, port = listener.getsockname()[:2]
	    for one in to:
	        with socket.create_connection((one, port), timeout=60):
	            listener.accept()[0].close()
	    print(port, addr, len(to), flush=True)
	def ask(what):
	    with open("%s/%s" % (work, what), "w") as f:
	        subprocess.run([tcphs, "list", "--json"], stdout=f, check=True)
	ask("open")
	for listener in socks:
	    listener.close()
	ask("closed")
EOF_PYTHON
while read -r port addr syns; do
	for when in open closed; do
		is "$addr, $when: its address, SYNs, SYN,ACKs, dropped, record, state" "$(python3 -c '
import json, sys
for row in map(json.loads, open(sys.argv[2])):
    if row["kind"] == "listener" and row["port"] == int(sys.argv[1]):
        print(row["addr"], row["syns"], row["synacks"], row["dropped"], row["record"],
              row["states"][-1]["state"] if row["states"] else "none")
' "$port" "$WORK/$when")" "$addr $syns $syns 0 partial $([ $when = open ] && echo none || echo CLOSE)"
	done
done <"$WORK/ports"
is "all were looked at" "$(wc -l <"$WORK/ports")" 4
finish
