#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds everything and runs every test: the unit tests here, without root, and
# the tests of tests/ in a VM, with kselftest's runner.
#
# usage: [TESTS="three_way_open.sh ..."] [REPEAT=N] [RETRY=N] [JOBS=N] scripts/check.sh
#
# TESTS runs only these scripts of tests/; REPEAT runs all of them N times. JOBS (1)
# is the number of VMs among which they are dealt, which run at the same time.
# RETRY (0) is for a machine that others load: a script that failed is run N times
# more, in a VM of its own. If all of these pass, it is called unsteady: shown, and
# counted as that, with neither the passed nor the failed.
# GUEST=only leaves out what runs here. LOGS=DIR keeps what is printed (build/check).
# SMP= (2), MEM= (2048) and TIMEOUT= (seconds, 3600) size the VM's run; TCPHS_SLOW=
# (1) is how much longer all that waits has to wait, on a slow machine; for SUITE=
# KERNEL= KDIR= and others see scripts/vm.sh. Ends with the line "N passed, N failed",
# and ", N skipped" and ", N unsteady" behind that where there are any; exit status 0 only if nothing failed and something passed.

. "$(dirname "$0")/common.sh"
. "$top/scripts/ktap.sh"

repeat=${REPEAT:-1}
retry=${RETRY:-0}
jobs=${JOBS:-1}
unsteady=0
logs=${LOGS:-$build/check}
selection=${TESTS:-}
# A test script has another meaning for it.
unset TESTS JOBS MAKEFLAGS MFLAGS MAKELEVEL

[[ "$repeat" =~ ^[1-9][0-9]*$ ]] || die "REPEAT=$repeat: a number of runs is meant"
[[ "$retry" =~ ^[0-9]+$ ]] || die "RETRY=$retry: a number of runs is meant"
[[ "$jobs" =~ ^[1-9][0-9]*$ ]] || die "JOBS=$jobs: a number of VMs is meant"
"$top/scripts/dependencies.sh" build vm
"$top/scripts/build.sh"
selftests=$("$top/scripts/kselftest.sh")/tools/testing/selftests
mkdir -p "$logs"

work=$(mktemp -d "$build/check.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$top/scripts/kselftest.sh" tree "$work/kselftest"
# The runner's own patience with a script.
sed -i "s/^timeout=.*/timeout=$((600 * ${TCPHS_SLOW:-1}))/" "$work/kselftest/tcphs/settings"

# The chosen scripts.
chosen=()
for test in $selection; do
	test=${test#tests/}
	grep -qx "tcphs:$test" "$work/kselftest/kselftest-list.txt" || {
		say "no test $test; there are:"
		sed 's/^tcphs:/  /' "$work/kselftest/kselftest-list.txt" >&2
		exit 2
	}
	chosen+=("$test")
done
if [ -z "$selection" ]; then
	readarray -t chosen < <(sed 's/^tcphs://' "$work/kselftest/kselftest-list.txt")
fi
expected=${#chosen[@]}
if [ -z "$selection" ] && [ "${GUEST:-}" != only ]; then
	# These are quick; what they find makes the rest hard to believe.
	# Built in the tree, which two runs may share.
	ktap_program "unit tests" "$logs/unit.log" locked "unit${top//\//-}" \
		make -s -j"$(nproc)" -C "$top/tests/unit" KSFT="$selftests" run_tests
	ktap_program "unit tests, sanitized" "$logs/sanitized.log" locked "unit${top//\//-}" \
		make -s -j"$(nproc)" -C "$top/tests/unit" KSFT="$selftests" SANITIZE=1 run_tests
	ktap_program "how tests are counted" "$logs/ktap.log" "$top/scripts/ktap-test.sh"
	ktap_program "packages" "$logs/package.log" "$top/scripts/package-test.sh"
	ktap_program "the VM itself" "$logs/vm.log" "$top/scripts/vm-test.sh"
	# Under the compiler and kernel that the recorded shares are of.
	if [ "$suite${KERNEL:-}${FLAVOUR:-}" = bookworm ]; then
		ktap_program "what recording costs" "$logs/bench.log" "$top/scripts/bench-check.sh"
	fi
fi

# run_in_vm NAME REPEAT SCRIPT...: what the runner prints; if the run does not count,
# its status and errors are in $work/NAME.status and .err
run_in_vm() {
	local name=$1 repeat=$2 words=() script
	shift 2
	for script; do
		words+=(-t "tcphs:$script")
	done
	"$top/scripts/vm.sh" run --smp "${SMP:-2}" --mem "${MEM:-2048}" \
		--timeout "${TIMEOUT:-3600}" --add "$work/kselftest=/kselftest" -- \
		env "TCPHS_SLOW=${TCPHS_SLOW:-1}" /tcphs/scripts/check-guest.sh \
		"$repeat" "${words[@]}" 2>"$work/$name.err" || echo $? >"$work/$name.status"
}

# run_dealt: all that was chosen, in $jobs VMs at the same time
run_dealt() {
	local hand i scripts
	if [ "$jobs" = 1 ]; then
		run_in_vm vm "$repeat" "${chosen[@]}"
		return
	fi
	for ((hand = 0; hand < jobs && hand < expected; hand++)); do
		scripts=()
		for ((i = hand; i < expected; i += jobs)); do
			scripts+=("${chosen[i]}")
		done
		run_in_vm "vm$hand" "$repeat" "${scripts[@]}" | ktap_blocks "$work/lock" &
	done
	wait
}

# vm_failed: whether a VM's run does not count
vm_failed() {
	compgen -G "$work/*.status" >/dev/null
}

# retry: whether each script that failed was unsteady.
retry() {
	local again=("${scripts_failed[@]}") counted=$scripts_failures
	local failed_before=$failed passed_before=$passed ended_before=$scripts_ended
	echo "once more, $retry times: ${again[*]}"
	ktap_runner "$logs/retry.log" < <(run_in_vm retry "$retry" "${again[@]}")
	if [ "$failed" = "$failed_before" ] && ! vm_failed &&
		[ $((scripts_ended - ended_before)) = $((${#again[@]} * retry)) ]; then
		failed=$((failed - counted))
		unsteady=$counted
	fi
	passed=$passed_before scripts_ended=$ended_before
}

: >"$logs/kselftest.log"
: >"$logs/retry.log"
ktap_runner "$logs/kselftest.log" < <(run_dealt)
if [ "$retry" != 0 ] && [ ${#scripts_failed[@]} != 0 ] && ! vm_failed; then
	retry
fi

# Nothing that was to run may be missing, and the VM itself has a say.
if [ "$scripts_ended" -lt $((expected * repeat)) ]; then
	failed=$((failed + expected * repeat - scripts_ended))
	echo "FAIL $((expected * repeat - scripts_ended)) of $((expected * repeat)) scripts came to no result"
fi
if vm_failed; then
	failed=$((failed + 1))
	for status in "$work"/*.status; do
		echo "FAIL the VM's run                    exit=$(<"$status")"
		sed 's/^/       /' "${status%.status}.err"
	done
	tail -n 20 "$logs/kselftest.log" | sed 's/^/       /'
else
	passed=$((passed + 1))
	echo "ok   the VM's run                     it ended by itself and its kernel log is clean"
fi

echo "what they printed is in ${logs#"$top"/}"
totals
[ "$failed" = 0 ] && [ "$passed" != 0 ]
