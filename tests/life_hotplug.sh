#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A CPU goes and comes back while connections are recorded: what it had recorded
# stays readable, nothing is lost, and a reader that sleeps wakes up.
# shellcheck disable=SC2317,SC2329 # called by check and defer
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

ROUNDS=${ROUNDS:-5}

# online 0|1
online() {
	echo "$1" >"$cpu/online"
}

begin
find_tool
# The last CPU that can be taken away.
cpu=
for file in /sys/devices/system/cpu/cpu[0-9]*/online; do
	cpu=${file%/online}
done
[ -w "${cpu:-/none}/online" ] || skip_all "no CPU of this machine can be taken away"
[ "$(cat "$cpu/online")" = 1 ] || skip_all "$cpu is off"
number=${cpu##*cpu}
module_load
netns_add NS_LO
kernel_mark
defer online 1
./churn.py --workers 4 "$NS_LO" >"$WORK/churn" 2>&1 &
churn=$!
defer kill $churn
check "the storm blows" wait_for 60 grep -q ready "$WORK/churn"
"$TCPHS" record -o "$WORK/all.tcphs" 2>"$WORK/record.err" &
reader=$!
defer kill $reader
for ((round = 0; round < ROUNDS; round++)); do
	sleep 0.5
	check "CPU $number goes" online 0
	sleep 0.5
	check "CPU $number comes back" online 1
done
sleep 0.5
kill $churn
wait $churn 2>/dev/null
# What the CPU recorded is there when it is not.
check "CPU $number goes once more" online 0
check "the ring is read" "$TCPHS" events --json -n 100000
"$TCPHS" events --json >"$WORK/events.json"
check "records of CPU $number are among it" grep -q "\"cpu\":[ ]*$number," "$WORK/events.json"
check "CPU $number comes back" online 1
kill -INT $reader
wait $reader
is "the recording ends well" $? 0
# One that was there from the start missed nothing: each CPU's n without a gap.
relayed python3 - "$WORK/all.tcphs" <<-'EOF2'
	import sys
	sys.path.insert(0, ".")
	from records import RECORD
	raw = open(sys.argv[1], "rb").read()[256:]
	last, lost, count, when = {}, 0, 0, 0
	for at in range(0, len(raw) - 127, 128):
	    ts, n, sock, netns, cpu, kind = RECORD.unpack_from(raw, at)[:6]
	    if kind == 5:
	        # What was overwritten before this reader came is no loss of its.
	        lost += cpu in last
	        continue
	    if cpu in last and n != last[cpu] + 1:
	        print("not ok CPU %d: %d follows %d" % (cpu, n, last[cpu]))
	    last[cpu] = n
	    count += 1
	print("%s %d records of %d CPUs" % ("ok" if count > 100 and len(last) > 1 else
	                                      "not ok", count, len(last)))
	print("%s no record is lost" % ("not ok" if lost else "ok"))
EOF2
kernel_quiet "the kernel did not complain"
finish
