#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `cat /proc/tcphs/timeline`, the text for a machine without the reader, tells
# the same story: a block for each connection, its states and segments at both
# ends in their order, and never port 0. Reading it consumes nothing.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

ask_tool() {
	echo "cat /proc/tcphs/timeline >'$WORK/text'"
	echo "cat /proc/tcphs/timeline >'$WORK/again'"
}

begin
module_use
place_loopback
place_netns
window_open
window_traffic opened close close,first=server refused reset_linger listener
window_close
relayed ./proc_timeline.py "$WORK"
check "reading it consumes nothing" cmp "$WORK/text" "$WORK/again"
finish
