#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Both ends connect() to each other's port and their SYNs cross; and a socket
# that is connected to itself.
. "$(dirname "$0")/lib.sh"
# So long has the second end to connect() before the first one's SYN comes.
DELAY=300
. "$TESTS_DIR/window.sh"

begin
find_tool
module_use
place_netns
window_open
window_traffic simultaneous_open simultaneous_open,first=server
window_close
window_judge

# A socket connected to itself: one socket is both ends, so this has witnesses
# of its own, and the judge is not asked.
netns_add NS_SELF
CAPTURES=("$NS_SELF lo 127.0.0.1")
rm -rf "${WORK:?}"/trace "$WORK"/*.pcap
window_open
ip netns exec "$NS_SELF" python3 - >"$WORK/ports" <<-'EOF'
	import socket
	for family, addr in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"),
	                     (socket.AF_INET6, "::ffff:127.0.0.1")):
	    s = socket.socket(family)
	    s.bind((addr, 0))
	    s.connect(s.getsockname()[:2])
	    s.send(b"hello")
	    assert s.recv(9) == b"hello"
	    print(addr, s.getsockname()[1], flush=True)
	    s.close()
EOF
"$TCPHS" timeline --json >"$WORK/timeline.json"
window_close
./witness.py "$WORK" >"$WORK/witness"
while read -r addr port; do
	# The trace has the addresses as 0 while it knows none.
	grep "trace .*:$port " "$WORK/witness" >"$WORK/trace.text"
	is "itself, $addr: the kernel went" \
		"$(sed 's/.* \([A-Z_0-9]* -> [A-Z_0-9]*\) .*/\1/' "$WORK/trace.text" | head -n 3 | xargs)" \
		"CLOSE -> SYN_SENT SYN_SENT -> SYN_RECV SYN_RECV -> ESTABLISHED"
	is "itself, $addr: the tool says" "$(python3 -c '
import json, sys
port = int(sys.argv[1])
for row in map(json.loads, open(sys.argv[2])):
    if row["kind"] == "connection" and row["client"]["port"] == port:
        print(row["open"], row["record"],
              " ".join(s["state"] for s in row["client"]["states"][:4]))
' "$port" "$WORK/timeline.json")" \
		"simultaneous complete CLOSE SYN_SENT SYN_RECV ESTABLISHED"
done <"$WORK/ports"
finish
