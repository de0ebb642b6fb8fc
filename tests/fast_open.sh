#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fast Open: a cookie is asked for, data rides in the SYN, and a server that has
# it switched off makes it an ordinary open.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

row fast_open
finish
