#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything that can be checked but lint and the benches, the most telling first, as
# far as the time goes.
#
# usage: [MINUTES=75] [RETRY=N] scripts/check-all.sh
#
# A step begins only where the time that it needs on two CPUs of its own is left;
# the others are named at the end. What is left of MINUTES ends a step that takes
# longer: it is called unfinished then. What it found wrong so far counts, and so does
# that it took more than twice its time: something hangs.
# The VM, roots and kernels that build/ has are used again. Printed things are kept
# in build/all. Ends with the line "N passed, N failed".

. "$(dirname "$0")/common.sh"

[ $# = 0 ] || usage 2
minutes=${MINUTES:-75}
[[ "$minutes" =~ ^[1-9][0-9]*$ ]] || die "MINUTES=$minutes: a number of minutes is meant"
export RETRY=${RETRY:-1}
logs=$build/all
passed=0 failed=0 skipped=0 unsteady=0
left_out=()
running=
trap '[ -z "$running" ] || kill "$running"; exit 130' INT TERM
unset MAKEFLAGS MFLAGS MAKELEVEL MINUTES

# The tests that are most likely to make a kernel with KASAN report something, and those
# that come next; the order is that in which they are run.
hostile="hostile_packets.sh hostile_filter.sh life_failures.sh unload_busy.sh"
hostile+=" life_leftovers.sh"
# What shows soonest that a module does not fit a kernel.
brief="three_way_open.sh life_leftovers.sh"
more="carried.sh vrf.sh bypath.sh access.sh accept_queue.sh time_wait_end.sh"
more+=" life_loads.sh poison.sh"

# Minutes that are needed on a fresh machine; name; words for env(1).
steps="
30	the suite			JOBS=2 make check
38	KASAN: faults, hostile input	PARTS=faults,suite TESTS=${hostile// /,} make check-debug
15	the other kernels, briefly	JOBS=2 KERNELS=7.2,5.10,6.12-rt TESTS=${brief// /,} make check-kernels
12	fuzzing				FUZZ_SECONDS=600 make fuzz
24	the newest kernel		JOBS=2 KERNELS=7.2 make check-kernels
24	the oldest kernel		JOBS=2 KERNELS=5.10 make check-kernels
24	PREEMPT_RT			JOBS=2 KERNELS=6.12-rt make check-kernels
16	packages and Secure Boot	make check-package
24	6.12				JOBS=2 KERNELS=6.12 make check-kernels
24	6.1 with PREEMPT_RT		JOBS=2 KERNELS=6.1-rt make check-kernels
60	KASAN: what comes next		JOBS=2 PARTS=suite TESTS=${more// /,} make check-debug
40	KCSAN				PARTS=races make check-debug
150	the suite under KASAN		JOBS=2 PARTS=suite make check-debug
33	soak				MINUTES=30 make soak
60	loads and unloads		LOADS=500 make life
60	a fleet of two hosts		make check-fleet
"

# step SECONDS MINUTES NAME WORD...: it may take SECONDS, and should MINUTES
step() {
	local limit=$1 need=$2 name=$3 status=0 line log wrong
	shift 3
	log="$logs/${name//[^a-zA-Z0-9.]/_}.log"
	echo "== $name"
	: >"$log"
	# In a process group of its own: with it ends all that it has started.
	timeout -k 30 "$limit" env "$@" >"$log" 2>"$log.err" &
	running=$!
	tail -n +1 -f --pid="$running" "$log" &
	wait "$running" || status=$?
	running=
	wait
	# A step that runs others' suites has what they found wrong on its other output.
	awk '/^FAIL/ { on = 1; print; next } !/^[[:space:]]/ { on = 0 } on' "$log.err"
	line=$(tail -n 1 "$log")
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		left_out+=("$name (unfinished)")
		# The scripts' lines are in the one or the other.
		wrong=$(cat "$log" "$log.err" | grep -c '^FAIL') || true
		if [ "$limit" -gt $((need * 120)) ]; then
			echo "FAIL $name takes more than twice its $need minutes"
			wrong=$((wrong + 1))
		fi
		failed=$((failed + wrong))
	elif [[ "$line" = *' passed, '*' failed'* ]]; then
		passed=$((passed + $(total_of passed "$line")))
		failed=$((failed + $(total_of failed "$line")))
		skipped=$((skipped + $(total_of skipped "$line")))
		unsteady=$((unsteady + $(total_of unsteady "$line")))
	else
		tail -n 20 "$log.err"
		echo "FAIL $name came to no end: $status"
		failed=$((failed + 1))
	fi
}

cd "$top"
mkdir -p "$logs"
while read -r need rest <&3; do
	[ -n "$need" ] || continue
	name=${rest%%$'\t'*}
	words=${rest##*$'\t'}
	left=$((minutes * 60 - SECONDS))
	if [ "$left" -lt $((need * 60)) ]; then
		left_out+=("$name")
		continue
	fi
	# Each word of env(1) is one here; a comma stands for a space in it.
	# shellcheck disable=SC2086 # several words
	set -- $words
	step "$left" "$need" "$name" "${@//,/ }"
done 3<<<"$steps"

for name in ${left_out[@]+"${left_out[@]}"}; do
	echo "not run in $minutes minutes: $name"
done
echo "what they printed is in ${logs#"$top"/}"
totals
[ "$failed" = 0 ] && [ "$passed" != 0 ]
