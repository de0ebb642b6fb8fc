#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Three-segment close: the passive end closes at once, so that its ACK of the
# FIN leaves in the same segment as its own FIN. By either end first.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged three_segment three_segment,first=server
