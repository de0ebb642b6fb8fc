#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Both ends on one machine: one timeline with both, each with its own network
# namespace, process, command and user; also in the text.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

ask_tool() {
	echo "'$TCPHS' events --json >'$WORK/events.json'"
	echo "'$TCPHS' timeline --json >'$WORK/timeline.json'"
	echo "'$TCPHS' timeline --color=never >'$WORK/text'"
}

begin
find_tool
module_use
place_loopback
place_netns
loopback_patient
netns_patient
window_open
window_traffic close,uid=1000 close,first=server,uid=1001 opened,uid=1002
window_close
window_judge

# Each pair of processes stands together on one line, and on no other.
while read -r client server; do
	is "one ladder has $client and $server" \
		"$(grep -c "$client\\b.*$server\\b" "$WORK/text")" 1
done < <(python3 -c '
import json, sys
for row in map(json.loads, open(sys.argv[1])):
    if row["kind"] == "connection":
        print(*("%(comm)s/%(pid)d" % row[e] for e in ("client", "server")))
' "$WORK/truth.json")
finish
