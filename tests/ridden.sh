#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A client that sends at once: its first ACK rides on the data. That segment is the
# handshake's third one, and drawn as such.
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
window_traffic ridden ridden,size=20000,first=server
window_close
window_judge

# Else nothing would have been shown.
is "third segments with data" "$(python3 -c '
import json, sys
for row in map(json.loads, open(sys.argv[1])):
    if row["kind"] == "connection":
        third = row["steps"][2]
        print("some" if third["flags"][-1:] != ["SYN"] and third["len"] and
              third["received"] and third["server"] == "ESTABLISHED" else "none")
' "$WORK/timeline.json" | sort -u | tail -n 1)" some
finish
