#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# More records than the ring holds, and a reader that stands still: what it lost
# is counted exactly and marked where it was; a connection that misses records
# is not called complete, and nothing is made up in their place.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_load ring_kb=8
place_loopback
window_open

# It opens before the first connection and reads after the last.
mkfifo "$WORK/late.in" "$WORK/late.out"
./reader.py late "$WORK/late.bin" <"$WORK/late.in" >"$WORK/late.out" &
late=$!
defer kill "$late"
exec 7>"$WORK/late.in" 8<"$WORK/late.out"
read -r -t 30 said <&8
is "a reader is open" "$said" ready

many=()
for ((i = 0; i < 20; i++)); do
	many+=("close,family=inet,there=$((i + 1))")
done
window_traffic "${many[@]}" refused
# Nothing is written any more, were it the end of a TIME_WAIT on a slow machine.
echo "port 1" >/proc/tcphs/filter
exec 7>&-
read -r -t 30 said <&8
is "the late reader has read" "$said" "done"
wait "$late"
cp /proc/tcphs/stats "$WORK/late.stats"
window_close

relayed ./lossy.py "$WORK/late.bin" "$WORK/late.stats"

# What the late reader got, in the reader's eyes.
"$TCPHS" -r "$WORK/late.bin" events --json >"$WORK/events.json"
"$TCPHS" -r "$WORK/late.bin" timeline --json >"$WORK/timeline.json"
window_judge --lossy

"$TCPHS" -r "$WORK/late.bin" timeline >/dev/null 2>&1
is "exit status without --strict" $? 0
"$TCPHS" -r "$WORK/late.bin" --strict timeline >/dev/null 2>&1
is "exit status with --strict" $? 4
finish
