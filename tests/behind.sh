#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Nobody takes what `tcphs events -f` and `tcphs live` write, while many times more
# happens than ring and pipe hold: they take the records in meanwhile, lose none, and
# tell all of it when the output goes on. What they told is what the witnesses saw.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

CONNECTIONS=40	# of 27 records each; the ring keeps 256 per CPU, a pipe some 300 rows

takers=()

# behind NAME COMMAND...: into a pipe that nobody reads before $WORK/go is there
behind() {
	local name=$1
	shift
	mkfifo "$WORK/$name.pipe"
	: >"$WORK/$name"
	{
		wait_for 600 test -e "$WORK/go"
		cat
	} <"$WORK/$name.pipe" >>"$WORK/$name" &
	takers+=($!)
	"$TCPHS" "$@" >"$WORK/$name.pipe" 2>"$WORK/$name.err" &
	reader=$!
	defer kill -KILL "$reader"
}

# The pipes are read, up to the last record there is; then both are interrupted.
ask_tool() {
	cat <<-EOF
		touch '$WORK/go'
		written() {
			awk '/^cpu[0-9]+_written/ { n += \$2 } END { print n }' /proc/tcphs/stats
		}
		for _ in \$(seq 600); do
			[ "\$(wc -l <'$WORK/events.json')" -lt "\$(written)" ] || break
			sleep 0.1
		done
		told=0
		while [ "\$(wc -l <'$WORK/live.txt')" != "\$told" ]; do
			told=\$(wc -l <'$WORK/live.txt')
			sleep 1
		done
		kill -INT $events $live
		while kill -0 $events || kill -0 $live; do
			sleep 0.1
		done 2>/dev/null
	EOF
}

begin
find_tool
module_load ring_kb=32
place_loopback
window_open
behind events.json events -f --json
events=$reader
# TIME_WAIT sockets of a namespace that goes just now are others'.
behind live.txt live --netns "$(netns_inode "$NS_LO")"
live=$reader

cases=()
for ((i = 0; i < CONNECTIONS; i++)); do
	cases+=("close,family=inet,there=$((i + 1))")
done
window_traffic "${cases[@]}"
wait "$events"
is "events: exit status" $? 0
wait "$live"
is "live: exit status" $? 0
wait "${takers[@]}"
window_close

overwritten=$(sed -n 's/^records_overwritten //p' "$WORK/stats.txt")
check "more was written than the ring keeps ($overwritten overwritten)" \
	test "${overwritten:-0}" -gt 500
lost=$(grep -cE '"kind": ?"lost"' "$WORK/events.json")
is "events: nothing is lost" "$lost" 0
contains "live: nothing is lost" "$(cat "$WORK/live.txt.err")" " records, 0 lost"
is "live: nothing is left untold" "$(grep -c 'not told yet' "$WORK/live.txt.err")" 0
contains "live: every connection" "$(cat "$WORK/live.txt.err")" \
	"$CONNECTIONS connections: $CONNECTIONS three-way"
window_judge --only events
finish
