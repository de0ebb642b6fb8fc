#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# /proc/tcphs/events has any number of readers at once, and each gets all of
# it: whatever its buffer, and however it waits.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_load
netns_add NS_LO
relay < <(./readers.py "$NS_LO" "$TCPHS" "$WORK" 2>&1)
finish
