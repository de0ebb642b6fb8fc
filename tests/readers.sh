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
# No TIME_WAIT, whose end would be a record when nothing is to be read.
ip netns exec "$NS_LO" sh -c 'echo 0 >/proc/sys/net/ipv4/tcp_max_tw_buckets'
relayed ./readers.py "$NS_LO" "$TCPHS" "$WORK"
finish
