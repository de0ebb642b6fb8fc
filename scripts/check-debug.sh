#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs the tests on kernels that catch errors: a report of any kind fails.
#
# usage: [PARTS="faults suite races"] [TESTS="a.sh ..."] scripts/check-debug.sh
#
#	faults	a test-only build of the module commits one fault after the other;
#		each must be reported, or else the rest proves nothing
#	suite	all tests on a kernel with KASAN, UBSAN, lockdep, PROVE_RCU,
#		DEBUG_ATOMIC_SLEEP, debug objects and kmemleak
#	races	tests with many CPUs, writers and readers, on a kernel with KCSAN
#
# Without PARTS: all. The kernels are built at first (scripts/debug-kernel.sh: some
# ten minutes each). They are slow: the tests have more patience there. Printed
# things are kept in build/debug/logs. Ends with "N passed, N failed".

. "$(dirname "$0")/common.sh"
. "$top/scripts/copy.sh"

[ $# = 0 ] || usage 2
parts=${PARTS:-faults suite races}
tests=${TESTS:-}
unset MAKEFLAGS MFLAGS MAKELEVEL PARTS TESTS
passed=0 failed=0
home=$build/debug/tcphs
logs=$build/debug/logs

# What is said of each planted fault, as it is found in the kernel's log.
faults="
use_after_free	KASAN: use-after-free in .*fault_commit
out_of_bounds	KASAN: slab-out-of-bounds in .*fault_commit
shift		UBSAN: shift-out-of-bounds in .*fault\.h
sleep		BUG: sleeping function called from invalid context
lock_order	WARNING: possible circular locking dependency detected
rcu		WARNING: suspicious RCU usage
timer		ODEBUG: init active
leak		kmemleak: [0-9]* new suspected memory leak
"
races="unload_busy.sh readers.sh lossy.sh owners.sh random_connections.sh filter.sh"

# use KIND: the kernel, in the environment, for everything called from here on
use() {
	local kernel
	kernel=$("$top/scripts/debug-kernel.sh" "$1")
	export KERNEL=$kernel/source/arch/x86/boot/bzImage KMODULES=$kernel/tree
	export KDIR=$kernel/source TOOLROOT=always BUILD=$build GUEST=only
	export TIMEOUT=${TIMEOUT:-20000} TCPHS_SLOW=${TCPHS_SLOW:-6}
	mkdir -p "$logs"
	copy_project "$home-$1"
	# kselftest's own limit of one script.
	echo timeout=7200 >"$home-$1/tests/settings"
}

# result STATUS NAME TEXT
result() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		printf 'ok   %-32s %s\n' "$2" "$3"
	else
		failed=$((failed + 1))
		printf 'FAIL %-32s %s\n' "$2" "$3"
	fi
}

build_faulty() {
	local copy=$home-faulty
	rm -rf "$copy"
	mkdir -p "$copy/module"
	cp "$top/Kbuild" "$copy/"
	cp -r "$top"/module/*.[ch] "$top/module/uapi" "$copy/module/"
	cp "$top/tests/fault/fault.h" "$copy/"
	# shellcheck disable=SC2016 # for make
	echo 'CFLAGS_module/proc.o := -include $(src)/fault.h' >>"$copy/Kbuild"
	"$top/scripts/toolroot.sh" make -s -C "$KDIR" M="$copy" \
		CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$logs/faulty.log" 2>&1 ||
		die "the test-only build failed; its log is $logs/faulty.log"
	find "$copy" ! -name '*.ko' -type f -delete
}

# fault NAME: commits it in a VM of its own; prints what the kernel said
fault() {
	"$top/scripts/vm.sh" run --timeout 900 --mem 2048 --name "debug-fault-$1" \
		--add "$home-faulty=/faulty" -- \
		"insmod /faulty/tcphs.ko fault=$1 &&
		 echo clear >/sys/kernel/debug/kmemleak;
		 for i in 1 2 3 4 5 6 7 8; do echo off >/proc/tcphs/filter; done;
		 case $1 in
		 race) (for i in 1 2 3 4 5 6 7 8 9 10; do echo off >/proc/tcphs/filter; done) &
			for i in 1 2 3 4 5 6 7 8 9 10; do echo off >/proc/tcphs/filter; done; wait ;;
		 leak) /tcphs/scripts/check-leaks.sh ;;
		 esac" >"$logs/fault-$1.log" 2>&1
}

# caught NAME SIGN: that fault must void the run, with that in the kernel's log
caught() {
	local status=0 line
	fault "$1" || status=$?
	line=$(grep -aohE -m 1 "$2.*" "$build/vm/debug-fault-$1"/{console,dmesg}.log |
		head -n 1 || true)
	[ "$status" = 125 ] && [ -n "$line" ]
	result $? "fault $1" "${line:-not reported; the run ended with $status, see ${logs#"$top"/}/fault-$1.log}"
}

part_faults() {
	local name sign status=0
	use kasan
	build_faulty
	# None: the same build must be silent when it commits no fault.
	fault none || status=$?
	result "$status" "fault none" "its run ended with $status"
	while read -r name sign <&3; do
		[ -z "$name" ] || caught "$name" "$sign" || true
	done 3<<<"$faults"
}

# suite KIND TESTS
suite() {
	local line
	use "$1"
	line=$(LOGS=$logs/$1 TESTS=$2 "$home-$1/scripts/check.sh" 2>"$logs/$1.err" |
		tee /dev/stderr | tail -n 1) || true
	case "$line" in
	*' passed, '*' failed'*)
		passed=$((passed + ${line%% passed*}))
		line=${line#* passed, }
		failed=$((failed + ${line%% failed*}))
		;;
	*)
		tail -n 20 "$logs/$1.err" >&2
		result 1 "the $1 suite" "came to no end"
		;;
	esac
}

"$top/scripts/dependencies.sh" vm
for part in $parts; do
	case "$part" in
	faults) part_faults ;;
	suite) suite kasan "$tests" ;;
	races)
		use kcsan
		build_faulty
		caught race 'BUG: KCSAN: data-race in fault_commit' || true
		suite kcsan "${tests:-$races}"
		;;
	*) usage 2 ;;
	esac
done
echo "what they printed is in ${logs#"$top"/}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
