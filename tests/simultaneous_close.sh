#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Both ends close() at once, and the wire is slow enough for their FINs to cross:
# FIN_WAIT1, CLOSING, TIME_WAIT at each end.
. "$(dirname "$0")/lib.sh"
DELAY=100
. "$TESTS_DIR/window.sh"

begin
find_tool
module_use
place_netns
netns_patient
window_open
window_traffic simultaneous_close
window_close
window_judge
finish
