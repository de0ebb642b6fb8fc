#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A stream of JSON into a pipe that nobody reads for a while: it is all there later. And
# while the reader itself stands still the ring overflows: the stream says exactly what
# is missing.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_load ring_kb=64
netns_add NS_LO
relayed ./feed.py "$TCPHS" "$NS_LO"

# The module's counters for Prometheus, of one moment: nothing happens any more.
for _ in {1..20}; do
	cat /proc/tcphs/stats >"$WORK/before"
	check_status=0
	"$TCPHS" stats --prometheus -o "$WORK/tcphs.prom" 2>"$WORK/err" || check_status=$?
	cat /proc/tcphs/stats >"$WORK/after"
	! cmp -s "$WORK/before" "$WORK/after" || break
done
is "--prometheus: exit status" "$check_status" 0
is "--prometheus: no message" "$(cat "$WORK/err")" ""
is "--prometheus: the records of each CPU" \
	"$(sed -n 's/^tcphs_records_\([a-z]*\)_total{cpu="\([0-9]*\)"} /cpu\2_\1 /p' "$WORK/tcphs.prom" | sort)" \
	"$(grep '^cpu' "$WORK/after" | sort)"
is "--prometheus: the records by kind" \
	"$(sed -n 's/^tcphs_records_total{kind="\([a-z]*\)"} /\1s /p' "$WORK/tcphs.prom" | sort)" \
	"$(grep -E '^(transitions|segments|resets|destroys|accepts) ' "$WORK/after" | sort)"
contains "--prometheus: the window" "$(cat "$WORK/tcphs.prom")" "tcphs_window_start_timestamp_seconds "
finish
