#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# MPTCP's subflows are TCP connections, its own socket is none; SCTP is no TCP.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

ROW_WITHOUT_ACCOUNT=1 row other_protocols
# Of SCTP's ports nothing may be recorded, whatever it may be taken for.
while read -r port; do
	is "SCTP's port $port is in no record" \
		"$(grep -cE "\"[sd]port\": *$port\b" "$WORK/events.json")" 0
done < <(sed -n 's/.*"ports": \[\([0-9]*\), \([0-9]*\)\].*/\1\n\2/p' "$WORK/truth.json" |
	sort -u)
while IFS= read -r name; do
	skip "$name" "this kernel has none"
done < <(sed -n 's/.*"absent".*"name": "\([^"]*\)".*/\1/p' "$WORK/truth.json")
finish
