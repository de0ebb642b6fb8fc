#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# RST to a half-open connection: by an end that has gone, when the other one speaks
# to it; and to a request that waits for its third segment.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

NOWHERE=1 row forgotten
finish
