#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The processes that connect, accept and close are told as they were, while
# others burn every CPU: never a bystander whom a softirq interrupted.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_load ring_kb=4096
check "the connections were made" ./owners.py --traffic "$WORK/truth"
check "their timelines can be had" \
	sh -c "'$TCPHS' timeline --json >'$WORK/timeline.json'"
relayed ./owners.py --judge "$WORK/truth" "$WORK/timeline.json"
is "no bystander anywhere" "$(grep -c '"bystander"' "$WORK/timeline.json")" 0
finish
