#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A listener whose process does not accept(): its queue overflows, as often as the
# kernel counts.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

row accept_queue
relay < <(./told.py --listener "$WORK")
finish
