#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A stranger forges RST and SYN: with a wrong number they are answered by a
# challenge ACK (RFC 5961) and the connection lives; with the right one it ends.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

row blind_injection
finish
