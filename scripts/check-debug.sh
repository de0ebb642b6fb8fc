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
passed=0 failed=0 skipped=0 unsteady=0
home=$build/debug/tcphs
logs=$build/debug/logs

# What is said of each planted fault, as it is found in the kernel's log. lockdep says
# no more after its first finding, nor after KASAN's: so rcu is first.
faults="
rcu		WARNING: suspicious RCU usage
lock_order	WARNING: possible circular locking dependency detected
sleep		BUG: sleeping function called from invalid context
shift		UBSAN: shift-out-of-bounds in .*fault\.h
timer		ODEBUG: init active
use_after_free	KASAN: use-after-free in .*fault_commit
out_of_bounds	KASAN: slab-out-of-bounds in .*fault_commit
leak		kmemleak: [0-9]* new suspected memory leak
"
fault_of_races="
race		BUG: KCSAN: data-race in fault_commit
"
races="unload_busy.sh readers.sh lossy.sh owners.sh random_connections.sh filter.sh"

# use KIND: the kernel, in the environment, for everything called from here on
use() {
	local kernel
	kernel=$("$top/scripts/debug-kernel.sh" "$1")
	export KERNEL=$kernel/source/arch/x86/boot/bzImage KMODULES=$kernel/tree
	export KDIR=$kernel/source TOOLROOT=always BUILD=$build GUEST=only
	# While the boot CPU is identified its features are none: KASAN takes addresses of
	# five levels for wild ones then, if an interrupt comes just there.
	export QEMU_EXTRA="${QEMU_EXTRA:-} -cpu max,-la57"
	export TIMEOUT=${TIMEOUT:-20000} TCPHS_SLOW=${TCPHS_SLOW:-6}
	mkdir -p "$logs"
	copy_project "$home-$1"
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
	cp -r "$top"/module/*.[ch] "$top"/module/{try,uapi} "$copy/module/"
	cp "$top/tests/fault/fault.h" "$copy/"
	# shellcheck disable=SC2016 # for make
	echo 'CFLAGS_module/proc.o := -include $(src)/fault.h' >>"$copy/Kbuild"
	"$top/scripts/toolroot.sh" make -s -C "$KDIR" M="$copy" \
		CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$logs/faulty.log" 2>&1 ||
		die "the test-only build failed; its log is $logs/faulty.log"
	find "$copy" ! -name '*.ko' -type f -delete
}

# commit NAME...: commits these faults one after the other in a VM, each after a line
# in the kernel's log that names it
commit() {
	"$top/scripts/vm.sh" run --timeout 1800 --mem 2048 --name debug-faults \
		--append kasan_multi_shot --add "$home-faulty=/faulty" -- "
		insmod /faulty/tcphs.ko || exit 1
		commit() {
			for i in 1 2 3 4; do echo off >/proc/tcphs/filter; done
		}
		for name in $*; do
			echo tcphs-fault: \$name >/dev/kmsg
			printf %s \$name >/sys/module/tcphs/parameters/fault
			case \$name in
			race)
				commit & commit & commit
				wait
				;;
			leak)
				echo clear >/sys/kernel/debug/kmemleak
				commit
				/tcphs/scripts/check-leaks.sh
				;;
			*) commit ;;
			esac
		done
		echo tcphs-fault: end >/dev/kmsg"
}

# said NAME: what the kernel's log has between that fault and the next one
said() {
	sed -n "/tcphs-fault: $1[[:space:]]*\$/,/tcphs-fault: /p" "$build/vm/debug-faults/console.log"
}

# part_faults LIST: each must be found by what is said of it; and nothing may be said
# while the same build commits none
part_faults() {
	local name sign names=() status=0 line
	while read -r name sign; do
		[ -z "$name" ] || names+=("$name")
	done <<<"$1"
	build_faulty
	commit none "${names[@]}" >"$logs/faults.log" 2>&1 || status=$?
	said none >"$logs/fault-none.log"
	status=0
	line=$(grep -a 'tcphs-fault: ' "$logs/fault-none.log" | tail -n 1)
	[[ "$line" == *"tcphs-fault: ${names[0]}"* ]] || status=1
	"$top/scripts/vmlog.sh" "$logs/fault-none.log" >&2 || status=1
	result "$status" "fault none" "see ${logs#"$top"/}/fault-none.log"
	while read -r name sign; do
		[ -n "$name" ] || continue
		line=$(said "$name" | grep -aohE -m 1 "$sign.*" | tr -d '\r') || true
		status=0
		[ -n "$line" ] || status=1
		result "$status" "fault $name" "${line:-not reported; see ${logs#"$top"/}/faults.log}"
	done <<<"$1"
}

# suite KIND TESTS
suite() {
	local line
	use "$1"
	line=$(LOGS=$logs/$1 TESTS=$2 "$home-$1/scripts/check.sh" 2>"$logs/$1.err" |
		tee >(cat >&2) | tail -n 1) || true
	case "$line" in
	*' passed, '*' failed'*)
		passed=$((passed + $(total_of passed "$line")))
		failed=$((failed + $(total_of failed "$line")))
		skipped=$((skipped + $(total_of skipped "$line")))
		unsteady=$((unsteady + $(total_of unsteady "$line")))
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
	faults)
		use kasan
		part_faults "$faults"
		;;
	suite) suite kasan "$tests" ;;
	races)
		use kcsan
		part_faults "$fault_of_races"
		suite kcsan "${tests:-$races}"
		;;
	*) usage 2 ;;
	esac
done
echo "what they printed is in ${logs#"$top"/}"
totals
[ "$failed" = 0 ] && [ "$passed" != 0 ]
