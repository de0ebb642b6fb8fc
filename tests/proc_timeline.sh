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

# The same addresses and ports in two namespaces, at the same time.
netns_add other
# shellcheck disable=SC2154 # other: set by netns_add
./alike.py "$NS_LO" "$other" || fail "two connections that are alike"
cat /proc/tcphs/timeline >"$WORK/alike"
is "connections of two namespaces with the same ends are two" \
	"$(grep -c '^A 127.0.0.1:4321  B 127.0.0.1:1234$' "$WORK/alike")" 2
is "and each has its own states" "$(awk '
	/^A / { block = $0 ~ /^A 127.0.0.1:4321  B 127.0.0.1:1234$/; opened = 0 }
	block && / A SYN_SENT -> ESTABLISHED/ { opened++; if (opened == 1) whole++; else whole-- }
	END { print whole + 0 }' "$WORK/alike")" 2
finish
