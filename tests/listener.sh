#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A listening socket: CLOSE -> LISTEN -> CLOSE, its owner and its backlog; bound
# to an address and to every address, and with a connection that is not its own.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged listener listener,backlog=77,any_addr=1 opened,any_addr=1 \
	opened,backlog=1
