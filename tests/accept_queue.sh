#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A listener whose process does not accept(): its queue overflows, as often as the
# kernel counts; at a SYN, and at the third segment that brings a SYN cookie back.
. "$(dirname "$0")/lib.sh"
# So slow a wire that all SYNs are there before the first cookie comes back.
DELAY=100
. "$TESTS_DIR/window.sh"

ask_tool() {
	local what
	for what in events timeline stats list; do
		echo "'$TCPHS' $what --json >'$WORK/$what.json'"
	done
}

row accept_queue
relay < <(./told.py --listener "$WORK")
finish
