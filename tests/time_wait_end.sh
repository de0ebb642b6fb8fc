#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# TIME_WAIT that ends before its minute: the ports are used again by connect() or
# by an incoming SYN, or a RST comes; and none where no bucket is to be had.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

row time_wait_end
finish
