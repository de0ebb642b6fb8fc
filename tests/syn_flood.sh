#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Listeners under spoofed SYNs (TCPHS_SYNS=, 6000; 100000 takes some minutes and
# --mem 4096), with real connections among them, while `tcphs record` runs: the
# counts are the kernel's own, and each real connection is told whole, or its gap
# is marked. So it is in the ring, which holds only the last part of the flood.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

syns=${TCPHS_SYNS:-6000}

# Spoofed segments would be most of the captures, and nobody asks for them.
CAPTURED='udp port 9 or (tcp and not net 10.0.0.0/8 and not net 2001:db8:bad::/48)'

row_begins() {
	"$TCPHS" record --output="$WORK/flood.tcphs" 2>"$WORK/record.err" &
	recorder=$!
	defer kill $recorder
	wait_for 30 test -s "$WORK/flood.tcphs" || fail "the recording began"
}

# At the end, while the connections' ends are still there.
ask_tool() {
	cat <<-EOF_ASK
		'$TCPHS' timeline --json >'$WORK/ring.json'
		'$TCPHS' --strict events >'$WORK/ring.text' || echo \$? >'$WORK/ring.status'
		kill -INT $recorder
		while kill -0 $recorder; do sleep 0.1; done 2>/dev/null
		'$TCPHS' -r '$WORK/flood.tcphs' stats --json >'$WORK/stats.json'
		'$TCPHS' -r '$WORK/flood.tcphs' timeline --json >'$WORK/timeline.json'
		'$TCPHS' -r '$WORK/flood.tcphs' list --json >'$WORK/list.json'
	EOF_ASK
}

ROW_WITHOUT_ACCOUNT=1 row "syn_flood,syns=$syns" segments=handshake
comment "$(sed 's/.*\("records_lost":[0-9]*\).*\("segments":[0-9]*\).*/\1 \2/' "$WORK/stats.json")"
relayed ./told.py --listener "$WORK"
is "the ring was overrun, and says so" \
	"$(cat "$WORK/ring.status" 2>/dev/null) $(grep -c 'lost on CPU' "$WORK/ring.text" | sed 's/[1-9].*/some/')" \
	"4 some"
relayed ./told.py --ring "$WORK"
finish
