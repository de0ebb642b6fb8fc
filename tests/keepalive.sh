#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keep-alive probes and their answers; then nothing comes through any more, and the
# end that asked gives up: after its probes, or when TCP_USER_TIMEOUT is over.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# It cuts a loopback.
row_begins() {
	command -v nft >/dev/null || skip_all "no nft on this machine"
}

row keepalive
finish
