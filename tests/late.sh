#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Retransmission and reordering at the close: each FIN is lost once; a FIN overtakes
# the bytes before it; and the last ACK is lost, so that TIME_WAIT gets the FIN again,
# answers it and begins anew.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# story WHAT RULE CASE...
story() {
	comment "$1"
	places_forget
	place_netns
	netns_patient
	wire_drop "$2"
	shift 2
	window_open
	window_traffic "$@"
	window_close
	window_judge
}

begin
find_tool
module_use
story "each FIN is lost once" 'tcp flags & fin == fin once' close close,first=server
# 1000 bytes, with both headers and the time stamps
story "the bytes before the FIN are lost once" 'meta length 1040-1080 once' \
	overtaken overtaken,first=server
story "the answer to the server's FIN is lost once" \
	$'iifname "s0" tcp flags & fin == fin add @fins { tcp dport . tcp sport }
  tcp sport . tcp dport @fins once' close
is "TIME_WAIT begins anew in each" "$(python3 -c '
import json, sys
netns = int(sys.argv[1])
rows = [r for r in map(json.loads, open(sys.argv[2]))
        if r["kind"] == "connection" and r["client"]["netns"] == netns]
print(len(rows), sum(any("TIME_WAIT begins anew" in (s["note"] or "")
                         for s in r["steps"]) for r in rows))
' "$(netns_inode "$NS_C")" "$WORK/timeline.json")" "3 3"
finish
