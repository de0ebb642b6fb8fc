#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# close() of one end only: FIN_WAIT2 without a process is no TIME_WAIT, and ends
# after tcp_fin_timeout.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged orphan orphan,first=server
