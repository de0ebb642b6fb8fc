#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A listener whose process does not accept(): its queue overflows, as often as the
# kernel counts; at a SYN, at the third segment that brings a SYN cookie back, and at a
# request's.
. "$(dirname "$0")/lib.sh"
# So slow a wire that all SYNs are there before the first third segment.
DELAY=100
LO_DELAY=100
. "$TESTS_DIR/window.sh"

ask_tool() {
	local what
	for what in events timeline stats list; do
		echo "'$TCPHS' $what --json >'$WORK/$what.json'"
	done
}

# A module that has seen no SYN cookie yet, after which it looks closer at each ACK.
row accept_queue segments=handshake
relayed ./told.py --listener "$WORK"
finish
