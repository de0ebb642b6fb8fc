#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds everything and runs every test: the unit tests here, without root, and
# the tests of tests/ in a VM, with kselftest's runner.
#
# usage: [TESTS="three_way_open.sh ..."] [REPEAT=N] [RETRY=N] scripts/check.sh
#
# TESTS runs only these scripts of tests/; REPEAT runs all of them N times.
# RETRY (0) is for a machine that others load: a script that failed is run N times
# more, in a VM of its own. If all of these pass, it is called unsteady: shown, and
# counted as that, with neither the passed nor the failed.
# GUEST=only leaves out what runs here. LOGS=DIR keeps what is printed (build/check).
# SMP= (2), MEM= (2048) and TIMEOUT= (seconds, 3600) size the VM's run; for
# SUITE= KERNEL= KDIR= and others see scripts/vm.sh. Ends with the line "N passed,
# N failed"; exit status 0 only if nothing failed and something passed.

. "$(dirname "$0")/common.sh"
. "$top/scripts/ktap.sh"

repeat=${REPEAT:-1}
retry=${RETRY:-0}
unsteady=0
logs=${LOGS:-$build/check}
selection=${TESTS:-}
# A test script has another meaning for it.
unset TESTS MAKEFLAGS MFLAGS MAKELEVEL

[[ "$repeat" =~ ^[1-9][0-9]*$ ]] || die "REPEAT=$repeat: a number of runs is meant"
[[ "$retry" =~ ^[0-9]+$ ]] || die "RETRY=$retry: a number of runs is meant"
"$top/scripts/dependencies.sh" build vm
"$top/scripts/build.sh"
selftests=$("$top/scripts/kselftest.sh")/tools/testing/selftests
mkdir -p "$logs"

work=$(mktemp -d "$build/check.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$top/scripts/kselftest.sh" tree "$work/kselftest"

# The chosen scripts, as the runner wants them.
choice=()
for test in $selection; do
	test=${test#tests/}
	grep -qx "tcphs:$test" "$work/kselftest/kselftest-list.txt" || {
		say "no test $test; there are:"
		sed 's/^tcphs:/  /' "$work/kselftest/kselftest-list.txt" >&2
		exit 2
	}
	choice+=(-t "tcphs:$test")
done
if [ -n "$selection" ]; then
	expected=$((${#choice[@]} / 2))
else
	expected=$(wc -l <"$work/kselftest/kselftest-list.txt")
	choice=(-c tcphs)
fi
if [ -z "$selection" ] && [ "${GUEST:-}" != only ]; then
	# These are quick; what they find makes the rest hard to believe.
	ktap_program "unit tests" "$logs/unit.log" \
		make -s -j"$(nproc)" -C "$top/tests/unit" KSFT="$selftests" run_tests
	ktap_program "unit tests, sanitized" "$logs/sanitized.log" \
		make -s -j"$(nproc)" -C "$top/tests/unit" KSFT="$selftests" SANITIZE=1 run_tests
	ktap_program "how tests are counted" "$logs/ktap.log" "$top/scripts/ktap-test.sh"
	ktap_program "packages" "$logs/package.log" "$top/scripts/package-test.sh"
	ktap_program "the VM itself" "$logs/vm.log" "$top/scripts/vm-test.sh"
	# Under the compiler and kernel that the recorded shares are of.
	if [ "$suite${KERNEL:-}${FLAVOUR:-}" = bookworm ]; then
		ktap_program "what recording costs" "$logs/bench.log" "$top/scripts/bench-check.sh"
	fi
fi

# run_in_vm REPEAT RUNNER-OPTION...
run_in_vm() {
	"$top/scripts/vm.sh" run --smp "${SMP:-2}" --mem "${MEM:-2048}" \
		--timeout "${TIMEOUT:-3600}" --add "$work/kselftest=/kselftest" -- \
		env "TCPHS_SLOW=${TCPHS_SLOW:-1}" /tcphs/scripts/check-guest.sh "$@" 2>"$work/vm.err" ||
		echo $? >"$work/vm.status"
}

# retry: whether each script that failed was unsteady.
retry() {
	local again=("${scripts_failed[@]}") counted=$scripts_failures script
	local failed_before=$failed passed_before=$passed ended_before=$scripts_ended
	echo "once more, $retry times: ${again[*]}"
	choice=()
	for script in "${again[@]}"; do
		choice+=(-t "tcphs:$script")
	done
	ktap_runner "$logs/retry.log" < <(run_in_vm "$retry" "${choice[@]}")
	if [ "$failed" = "$failed_before" ] && [ ! -e "$work/vm.status" ] &&
		[ $((scripts_ended - ended_before)) = $((${#again[@]} * retry)) ]; then
		failed=$((failed - counted))
		unsteady=$counted
	fi
	passed=$passed_before scripts_ended=$ended_before
}

: >"$logs/kselftest.log"
: >"$logs/retry.log"
ktap_runner "$logs/kselftest.log" < <(run_in_vm "$repeat" "${choice[@]}")
if [ "$retry" != 0 ] && [ ${#scripts_failed[@]} != 0 ] && [ ! -e "$work/vm.status" ]; then
	retry
fi

# Nothing that was to run may be missing, and the VM itself has a say.
if [ "$scripts_ended" -lt $((expected * repeat)) ]; then
	failed=$((failed + expected * repeat - scripts_ended))
	echo "FAIL $((expected * repeat - scripts_ended)) of $((expected * repeat)) scripts came to no result"
fi
if [ -e "$work/vm.status" ]; then
	failed=$((failed + 1))
	echo "FAIL the VM's run                    exit=$(<"$work/vm.status")"
	sed 's/^/       /' "$work/vm.err"
	tail -n 20 "$logs/kselftest.log" | sed 's/^/       /'
else
	passed=$((passed + 1))
	echo "ok   the VM's run                     it ended by itself and its kernel log is clean"
fi

echo "what they printed is in ${logs#"$top"/}"
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")$([ "$unsteady" = 0 ] || echo ", $unsteady unsteady")"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
