#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shutdown() of one end; the other one still sends. By either end, and with more
# bytes than one segment has.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_use
place_loopback
place_netns
loopback_patient
netns_patient
window_open
window_traffic half_close half_close,first=server half_close,after=1,family=inet \
	half_close,after=50000,family=inet6
window_close
window_judge

# The bytes after the first FIN, as the processes sent them.
relayed python3 - "$WORK" <<-'EOF'
	import json, sys
	rows = {}
	for name in ("truth", "timeline"):
	    with open("%s/%s.json" % (sys.argv[1], name)) as f:
	        rows[name] = [r for r in map(json.loads, f) if r["kind"] == "connection"]
	told = {tuple(r[e][f] for e in ("client", "server") for f in ("addr", "port")):
	        r["half_close_bytes"] for r in rows["timeline"]}
	for row in rows["truth"]:
	    passive, before = ("client", 5) if row["first"] == "server" else ("server", 7)
	    good = row[passive]["sent"] - before
	    says = told.get(tuple(row[e][f] for e in ("client", "server")
	                          for f in ("addr", "port")))
	    print("%s %s: %d bytes after the first FIN, the tool says %s" % (
	        "ok" if says == good else "not ok", row["name"], good, says))
EOF
finish
