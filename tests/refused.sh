#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A refused open: SYN; RST,ACK seq=0 ack=x+1; CLOSE -> SYN_SENT -> CLOSE.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged refused
