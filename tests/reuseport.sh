#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Several processes listen at one port (SO_REUSEPORT): what came to each, and whose
# connection it is before accept().
. "$(dirname "$0")/lib.sh"

begin
find_tool
module_use
kernel_mark
check "the connections were made" ./reuseport.py --traffic "$WORK/truth" \
	"'$TCPHS' timeline --json >'$WORK/timeline.json'"
relayed ./reuseport.py --judge "$WORK/truth" "$WORK/timeline.json"
kernel_quiet "the kernel has not complained"
finish
