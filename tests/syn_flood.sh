#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A listener under spoofed SYNs (TCPHS_SYNS=, 5000), with real connections among
# them: its counts are the kernel's own, and each real connection is told, whole
# or marked lossy.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

syns=${TCPHS_SYNS:-5000}
# So large a ring that nothing has to be lost; by hand, more SYNs may overrun it.
ROW_WITHOUT_ACCOUNT=1 row "syn_flood,syns=$syns" ring_kb=8192
[ "$syns" -gt 10000 ] || is "no record was lost" \
	"$(grep -c '"kind": *"lost"' "$WORK/events.json")" 0
relay < <(./told.py --listener "$WORK")
finish
