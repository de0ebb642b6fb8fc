#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module parameter segments=: with `all` every segment of the data phase is
# there, too, and bytes are known at any time; with `none` only transitions.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# story MODE [JUDGE-OPTION...]
story() {
	local mode=$1
	shift
	comment "segments=$mode"
	module_load "segments=$mode"
	window_open
	window_traffic close,there=3000,back=9000 opened,talk=1,family=inet6 \
		reset_unread,family=inet refused,family=v4mapped
	window_close
	window_judge --segments "$mode" "$@"
	is "segments=$mode: what stats say" \
		"$(sed -n 's/^segments_mode //p' "$WORK/stats.txt")" "$mode"
}

begin
find_tool
place_loopback
place_netns
story all
story none --only events
is "segments=none: no segment is recorded" \
	"$(sed -n 's/^segments //p' "$WORK/stats.txt")" 0
finish
