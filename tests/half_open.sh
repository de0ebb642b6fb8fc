#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every SYN,ACK is lost: the server's request repeats it and expires, and the
# client gives up. While that lasts, the timeline shows the half-open connection.
# With TCP_TX_DELAY, too, which puts off the time in a SYN,ACK.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_use
place_netns
wire_drop 'tcp flags & (syn | ack) == (syn | ack) drop'
window_open

# What the timeline says when all have begun. Their requests live for 15 s; the
# server's states count, too: a look may fall between a SYN and its answer.
cat >"$WORK/look" <<-EOF
	for i in \$(seq 30); do
		'$TCPHS' timeline --json | grep '"open":"half-open"' |
			grep -c '"state":"SYN_RECV"}\]' >'$WORK/halfway'
		! grep -qx 6 '$WORK/halfway' || break
		sleep 0.1
	done
EOF
window_traffic --look "sh '$WORK/look'" syn_ack_lost,retries=3 \
	syn_ack_lost,retries=3,tx_delay=2000
window_close
window_judge

is "while they last all six are half-open" "$(<"$WORK/halfway")" 6
finish
