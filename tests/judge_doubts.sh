#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does the judge find what is wrong? A good window is judged, and then again
# with one thing of the tool's output changed: each must be found.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_use
place_loopback
place_netns
loopback_patient
netns_patient
window_open
window_traffic close,family=inet reset_linger,family=inet6 refused,family=inet
window_close
window_judge
relayed ./judge_doubts.py "$WORK"
finish
