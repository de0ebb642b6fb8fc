#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# close() with SO_LINGER 0 sends RST instead of FIN. By either end.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged reset_linger reset_linger,first=server
