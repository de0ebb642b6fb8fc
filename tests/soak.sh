#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Mixed load for a long time with everything on and readers attached: the memory
# of the readers and of the kernel does not grow, no record is lost, the kernel
# says nothing. Not one of `make check`: `make soak` runs it in the VM.
#
#	MINUTES=30	how long (5)
# shellcheck disable=SC2317,SC2329 # some functions are called in the background
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

MINUTES=${MINUTES:-5}

# Opens and closes of every kind, here and between namespaces, with losses. The number
# of those that went well is in $WORK/storms.
storms() {
	local seed=0
	while ./storm.py "${PLACES[@]}" --count 300 --at-once 4 --seed "$seed"; do
		seed=$((seed + 1))
		echo "$seed" >"$WORK/storms"
	done >/dev/null 2>"$WORK/storm.err"
	echo "seed $seed failed" >>"$WORK/storm.err"
}

# Namespaces that come and go, the filter, and the text files.
odd() {
	local name=tcphs-odd-$$
	ip netns add "$name" &&
		ip -n "$name" link set lo up &&
		ip netns exec "$name" timeout 60 ./churn.py --count 20 --workers 1 "$name" &&
		ip netns del "$name" &&
		cat /proc/tcphs/timeline /proc/tcphs/stats &&
		echo "netns $(netns_inode "$NS_C") $(netns_inode "$NS_S") $(netns_inode "$NS_LO")" >/proc/tcphs/filter &&
		echo off >/proc/tcphs/filter
}

odds() {
	local count=0
	while odd; do
		count=$((count + 1))
		echo "$count" >"$WORK/odds"
		sleep 1
	done >/dev/null 2>"$WORK/odd.err"
	echo "the one after $count failed" >>"$WORK/odd.err"
}

# reader NAME WORDS...: a reader that goes on, and whose memory is looked at
names=() pids=()
reader() {
	"$TCPHS" "${@:2}" >/dev/null 2>"$WORK/$1.err" &
	names+=("$1")
	pids+=($!)
	defer kill $!
}

# sample: one line "NAME KIB" each of the readers and of the kernel
sample() {
	local i
	for i in "${!names[@]}"; do
		echo "${names[i]} $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/${pids[i]}/status")"
	done
	sed -n 's/^\(SUnreclaim\|VmallocUsed\|Percpu\):[^0-9]*\([0-9]*\) kB/\1 \2/p' /proc/meminfo
}

begin
find_tool
module_load segments=all
place_loopback
place_netns
kernel_mark
background storms
background odds
reader record record -o /dev/null --strict
reader live live --json --strict
reader timeline timeline -f --json --strict
reader events events -f --strict
wait_for 120 test -s "$WORK/storms" || fail "the load begins" "$(cat "$WORK/storm.err")"
end=$((SECONDS + MINUTES * 60))
while [ "$SECONDS" -lt "$end" ]; do
	sample >>"$WORK/memory"
	sleep 5
done
# Up to the end there was load.
is "no storm has failed" "$(cat "$WORK/storm.err")" ""
is "no namespace has" "$(cat "$WORK/odd.err")" ""
for what in storms odds; do
	before=$(cat "$WORK/$what")
	check "the $what go on" wait_for 120 sh -c "[ \"\$(cat '$WORK/$what')\" != '$before' ]"
done
for i in "${!names[@]}"; do
	check "${names[i]} has lived all the time" kill -0 "${pids[i]}"
	kill -INT "${pids[i]}"
	wait "${pids[i]}"
	is "${names[i]} ends without a lost record" $? 0
	[ ! -s "$WORK/${names[i]}.err" ] || comment "$(tail -n 5 "$WORK/${names[i]}.err")"
done
comment "$(cat "$WORK/storms") storms of 300 connections, $(cat "$WORK/odds") namespaces"
comment "$(sed -n 's/^records_written/& /p' /proc/tcphs/stats)"
relayed python3 - "$WORK/memory" <<-'EOF2'
	import sys
	rows = {}
	for line in open(sys.argv[1]):
	    name, size = line.split()
	    rows.setdefault(name, []).append(int(size))
	for name, sizes in rows.items():
	    # What begins is allowed to fill its tables; from then on it is level: what
	    # some 18,000 connections left would be 30 bytes of each.
	    quarter = max(len(sizes) // 4, 1)
	    early = sorted(sizes[quarter:2 * quarter])[quarter // 2]
	    late = sorted(sizes[-quarter:])[quarter // 2]
	    # A reader remembers TIME_WAITs and half-open ends for some minutes: before
	    # its tables are full nothing is to be said.
	    allowed = early * 0.02 + (1024 if name[0].isupper() else 256)
	    if len(sizes) < 20 * 12 and not name[0].isupper():
	        print("ok %s # SKIP less than 20 minutes: %d KiB, then %d, at the end %d" %
	              (name, sizes[0], early, late))
	        continue
	    print("%s %s: %d KiB, then %d, at the end %d" % (
	        "ok" if late - early <= allowed else "not ok", name, sizes[0], early,
	        late))
EOF2
kernel_quiet "the kernel did not complain"
finish
