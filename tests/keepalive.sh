#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keep-alive probes and their answers; then the wire is cut, and the end that
# asked gives up: after its probes, or when TCP_USER_TIMEOUT is over.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

row keepalive
finish
