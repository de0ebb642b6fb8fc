#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `tcphs live`: rows as things happen. What ftrace sees is told, once, while it
# goes on; each connection has one number; the summary counts them; pipes, -n,
# -d and a module that goes away end it.
# shellcheck disable=SC2317,SC2329 # some functions are called by wait_for
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# live NAME ARGUMENT...: in the background, into $WORK/NAME; its id is in $live
live() {
	local name=$1
	shift
	"$TCPHS" live "$@" >"$WORK/$name" 2>"$WORK/$name.err" &
	live=$!
	defer kill -KILL "$live"
}

# reading N: so many readers have the stream open
reading() {
	[ "$(find /proc/[0-9]*/fd -lname '*/tcphs/events' 2>/dev/null | wc -l)" -ge "$1" ]
}

# stop PID NAME: Ctrl-C, and its exit status
stop() {
	kill -INT "$1"
	wait "$1"
	is "$2: exit status" $? 0
}

begin
find_tool
module_load
netns_unused NS_LO
inode=$(netns_inode "$NS_LO")

[ -e $TRACING/instances ] || mount -t tracefs nodev $TRACING ||
	skip_all "no tracefs in this kernel"
trace=$TRACING/instances/tcphs.$$
mkdir "$trace" || skip_all "cannot make an ftrace instance"
defer rmdir "$trace"
event=$trace/events/sock/inet_sock_set_state
echo '(sport >= 7301 && sport <= 7306) || (dport >= 7301 && dport <= 7306)' >"$event/filter"
echo 1 >"$event/enable"

# What was before is not told; nor does its TIME_WAIT end meanwhile.
buckets=$(ip netns exec "$NS_LO" cat /proc/sys/net/ipv4/tcp_max_tw_buckets)
time_waits() {
	ip netns exec "$NS_LO" sh -c "echo $1 >/proc/sys/net/ipv4/tcp_max_tw_buckets"
}
time_waits 0
./live.py talk "$NS_LO"
time_waits "$buckets"
echo >"$trace/trace"

live text --netns "$inode"
text=$live
live json --json --netns "$inode"
json=$live
check "they read" wait_for 20 reading 2
./live.py talk "$NS_LO"
# Into a file, too, rows do not wait for the end.
check "the rows come while it goes on" wait_for 30 grep -q refused "$WORK/text"
check "the last of them in JSON, too" wait_for 30 \
	grep -qE '"dport": ?7306,.*"new": ?"CLOSE"' "$WORK/json"
is "ftrace lost nothing" "$(cat "$trace"/per_cpu/cpu*/stats | grep -cE '^(overrun|dropped events): [1-9]')" 0
cat "$trace/trace" >"$WORK/trace"
echo 0 >"$event/enable"
stop "$text" "Ctrl-C"
stop "$json" "Ctrl-C of --json"
relayed ./live.py judge "$WORK/trace" "$WORK/json" "$WORK/text"
is "a file has no colours" "$(grep -c "$(printf '\033')" "$WORK/text")" 0
is "a verdict for each connection" "$(grep -c ' over ' "$WORK/text")" 6
for name in text json; do
	contains "$name: the summary counts opens" "$(cat "$WORK/$name.err")" \
		"6 connections: 5 three-way, 1 refused"
	contains "$name: ... and closes" "$(cat "$WORK/$name.err")" "1 reset-by-client"
	contains "$name: ... and lost records" "$(cat "$WORK/$name.err")" " records, 0 lost"
done

# The ring, as a recording: the same rows at once.
# What has happened by the end of its time is written, however long that takes.
"$TCPHS" record -o "$WORK/recording" -d 0.2 2>/dev/null
timeout 20 "$TCPHS" live -r "$WORK/recording" --netns "$inode" >"$WORK/replay" 2>"$WORK/replay.err"
is "-r ends by itself" $? 0
contains "-r has both rounds" "$(cat "$WORK/replay.err")" "12 connections: 10 three-way, 2 refused"
timeout 20 "$TCPHS" live -r "$WORK/recording" port 7301 >"$WORK/replay" 2>"$WORK/replay.err"
contains "a filter chooses" "$(cat "$WORK/replay.err")" "2 connections: 2 three-way"

netns_unused NS_QUIET
timeout 20 "$TCPHS" live -d 1 --netns "$(netns_inode "$NS_QUIET")" >/dev/null 2>"$WORK/err"
is "-d ends it" $? 0
contains "-d: the summary" "$(cat "$WORK/err")" "0 connections"
live five -n 5 --netns "$inode"
five=$live
check "-n reads" wait_for 20 reading 1
./live.py talk "$NS_LO"
wait "$five"
is "-n: exit status" $? 0
is "-n 5 writes 5 rows" "$(wc -l <"$WORK/five")" 5

# A pipe whose reader goes.
{
	"$TCPHS" live --netns "$inode" 2>"$WORK/pipe.err"
	echo "status $?" >"$WORK/pipe.status"
} | head -n 3 >"$WORK/pipe" &
check "into a pipe: it reads" wait_for 20 reading 1
# Until it has noticed: what it writes may wait in the pipe.
for _ in {1..20}; do
	[ ! -s "$WORK/pipe.status" ] || break
	./live.py talk "$NS_LO"
	sleep 0.3
done
check "a closed pipe ends it" wait_for 20 test -s "$WORK/pipe.status"
is "a closed pipe: exit status" "$(cat "$WORK/pipe.status")" "status 0"
is "a closed pipe: no message" "$(cat "$WORK/pipe.err")" ""
is "a closed pipe: what came through" "$(wc -l <"$WORK/pipe")" 3

# The module goes. Who asked for more is told so, and keeps what there was.
live gone
gone=$live
"$TCPHS" record -d 600 -o "$WORK/cut.tcphs" 2>"$WORK/cut.err" &
cut=$!
defer kill -KILL "$cut"
"$TCPHS" events -f >/dev/null 2>"$WORK/events.err" &
events=$!
defer kill -KILL "$events"
check "before rmmod they read" wait_for 20 reading 3
check "rmmod with readers" timeout 60 rmmod tcphs
wait "$cut"
is "rmmod ends record -d: exit status" $? 1
contains "rmmod: record says so" "$(cat "$WORK/cut.err")" "the module was unloaded"
timeout 20 "$TCPHS" -r "$WORK/cut.tcphs" list >/dev/null 2>"$WORK/err"
is "rmmod: what was recorded can be read" "$? $(cat "$WORK/err")" "0 "
wait "$events"
is "rmmod ends events -f: exit status" $? 1
contains "rmmod: events says so" "$(cat "$WORK/events.err")" "the module was unloaded"
wait "$gone"
is "rmmod ends it: exit status" $? 1
contains "rmmod: it says so" "$(cat "$WORK/gone.err")" "the module was unloaded"
contains "rmmod: and sums up" "$(cat "$WORK/gone.err")" " records, 0 lost"
timeout 20 "$TCPHS" live >/dev/null 2>&1
is "no module: exit status" $? 3
finish
