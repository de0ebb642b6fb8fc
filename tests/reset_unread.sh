#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# close() while received bytes lie unread sends RST (RFC 2525, 2.17). By
# either end.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

judged reset_unread reset_unread,first=server
