#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Connections that began before the module: marked "partial", with what was
# seen and nothing guessed; one of which nothing was seen is not told at all.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_away
place_loopback
place_netns
window_open
load="modprobe tcphs"
[ -z "$TCPHS_KO" ] || load="insmod '$TCPHS_KO'"
window_traffic --midway "$load" opened older older,first=server
window_close
window_judge
finish
