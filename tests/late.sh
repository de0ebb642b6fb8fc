#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Retransmission and reordering at the close: each FIN is lost once; and a FIN
# overtakes the bytes before it.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# story WHAT RULE CASE...
story() {
	comment "$1"
	PLACES=() CAPTURES=()
	rm -f "$WORK"/*.pcap "$WORK"/*.err "$WORK/netns"
	rm -rf "$WORK/trace"
	place_netns
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
finish
