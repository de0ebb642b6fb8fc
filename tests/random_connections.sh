#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A storm of short connections, each closed in another way, 8 at a time, IPv4 and
# IPv6, over loopback and between network namespaces, while `tcphs record` runs.
# TCPHS_CONNECTIONS= how many (1500), TCPHS_SEED= which ones.
. "$(dirname "$0")/lib.sh"
DELAY=2
. "$TESTS_DIR/window.sh"

count=${TCPHS_CONNECTIONS:-1500}
seed=${TCPHS_SEED:-$RANDOM}

begin
find_tool
module_use
place_loopback
place_netns
kernel_mark
window_open 16384
"$TCPHS" record --output="$WORK/storm.tcphs" 2>"$WORK/record.err" &
recorder=$!
defer kill $recorder
wait_for 30 test -s "$WORK/storm.tcphs" || fail "the recording began"
comment "$count connections, TCPHS_SEED=$seed"
check "the connections were made" sh -c \
	"./storm.py --count $count --seed $seed ${PLACES[*]} >'$WORK/truth.json'"
window_close
# What is in the ring by now is written before it ends.
kill -INT $recorder
wait $recorder
is "the recorder ended well" "$?" 0
check "the recording can be read" sh -c "
	'$TCPHS' --read='$WORK/storm.tcphs' events --json >'$WORK/events.json' &&
	'$TCPHS' --read='$WORK/storm.tcphs' timeline --json >'$WORK/timeline.json'"
relayed ./account.py "$WORK"
kernel_quiet "the kernel has not complained"
finish
