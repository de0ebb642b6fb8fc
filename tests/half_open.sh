#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every SYN,ACK is lost: the server's request repeats it and expires, and the
# client gives up. While that lasts, `list` shows the half-open connection.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_use
place_netns
wire_drop 'tcp flags & (syn | ack) == (syn | ack) drop'
window_open

half_open() {
	python3 -c '
import json, sys
for row in map(json.loads, open(sys.argv[1])):
    if row["kind"] == "connection":
        print(row["open"], (row["server"]["states"] or [{}])[-1].get("state"))
' "$1" | sort | uniq -c | xargs
}

# The requests live for more than two seconds; somebody looks all the time. The
# server's states count, too: a look may fall between a SYN and its answer.
while :; do
	"$TCPHS" timeline --json >"$WORK/now.json"
	if [ "$(half_open "$WORK/now.json")" = "3 half-open SYN_RECV" ]; then
		mv "$WORK/now.json" "$WORK/halfway.json"
		break
	fi
	sleep 0.1
done &
defer kill $!
window_traffic syn_ack_lost
window_close
window_judge

is "while they last they are half-open" \
	"$(half_open "$WORK/halfway.json")" "3 half-open SYN_RECV"
finish
