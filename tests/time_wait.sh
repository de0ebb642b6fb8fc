#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The end of TIME_WAIT by expiry, 60 seconds after it began: the tracepoint says
# FIN_WAIT2 -> CLOSE when TIME_WAIT begins, and nothing at its end. This takes a
# little more than a minute.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged close_and_wait close_and_wait,first=server
