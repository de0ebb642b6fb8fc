#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds everything, starts the VM, makes real TCP connections in it, and shows
# what tcphs tells of them.
#
# usage: scripts/demo.sh

. "$(dirname "$0")/common.sh"

"$top/scripts/dependencies.sh" build vm
"$top/scripts/build.sh"
color=never
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	color=always
fi
exec "$top/scripts/vm.sh" run --timeout 300 -- scripts/demo-guest.sh "$color"
