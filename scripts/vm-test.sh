#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests scripts/vm.sh and scripts/vmlog.sh: that a VM's run fails when it must.
# Prints KTAP; needs no root.
#
# usage: scripts/vm-test.sh

. "$(dirname "$0")/common.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
failed=0

# is NAME GOT WANTED
is() {
	number=$((number + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $number $1"
	else
		echo "not ok $number $1"
		echo "# got '$2', expected '$3'"
		failed=1
	fi
}

# What the kernel prints, one kind a line, each as a line of its log.
complaints() {
	cat <<-'END'
		------------[ cut here ]------------
		WARNING: CPU: 0 PID: 7 at net/core/dev.c:1 f+0x1/0x2
		WARNING: possible circular locking dependency detected
		WARNING: suspicious RCU usage
		WARNING: inconsistent lock state
		BUG: kernel NULL pointer dereference, address: 0000000000000000
		BUG: KASAN: slab-out-of-bounds in f+0x1/0x2
		BUG: KCSAN: data-race in f / g
		BUG: sleeping function called from invalid context at mm/slab.h:1
		BUG: scheduling while atomic: swapper/0/0/0x00000100
		BUG: Bad page state in process a  pfn:1
		kernel BUG at mm/slub.c:1!
		Oops: 0000 [#1] PREEMPT SMP
		general protection fault, probably for non-canonical address
		Kernel panic - not syncing: Fatal exception
		UBSAN: array-index-out-of-bounds in a.c:1:1
		INFO: task rmmod:12 blocked for more than 120 seconds.
		rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
		watchdog: BUG: soft lockup - CPU#0 stuck for 22s!
		refcount_t: underflow; use-after-free.
		unregister_netdevice: waiting for lo to become free. Usage count = 2
		kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
		kmemleak: Kernel memory leak detector disabled
		ODEBUG: Out of memory. ODEBUG disabled
		tcphs[123]: segfault at 0 ip 0000 sp 0000 error 4 in tcphs[1+2]
	END
}

# race_of F FRAME: KCSAN's report of a race, and a line after it
race_of() {
	local bar
	bar=$(printf '=%.0s' {1..66})
	printf '[    1.00000%d] %s\n' 1 "$bar" 2 "BUG: KCSAN: data-race in $1 / g" 3 "" \
		4 "write to 0xffff of 8 bytes by task 7 on cpu 0:" 5 " $2" 6 "$bar" 7 "lo: up"
}

test_scan() {
	local line status missed=
	while IFS= read -r line; do
		printf '[    0.000000] Linux version 6.1\n[    1.000000] %s\n[    1.1] lo: up\n' \
			"$line" >"$work/log"
		status=0
		"$top/scripts/vmlog.sh" "$work/log" >"$work/out" || status=$?
		if [ "$status" != 1 ] || ! grep -qF -- "$line" "$work/out"; then
			missed+="[$line]"
		fi
	done < <(complaints)
	is "every kind of complaint of a kernel is found" "$missed" ""
	race_of f "g+0x1/0x2" >"$work/log"
	is "a data race of others does not count" "$("$top/scripts/vmlog.sh" "$work/log")" ""
	{
		race_of f "g+0x1/0x2"
		race_of f "tcphs_g+0x1/0x2 [tcphs]"
		race_of f "h+0x1/0x2"
	} >"$work/log"
	is "but that of the module among them" \
		"$("$top/scripts/vmlog.sh" "$work/log" | grep -c 'BUG: KCSAN')" 1
}

# vm NAME OPTION... -- COMMAND...: its output, status and messages into $work
vm() {
	local name=$1 status=0
	shift
	"$top/scripts/vm.sh" run --timeout 300 "$@" >"$work/$name.out" 2>"$work/$name.err" || status=$?
	echo "$status" >"$work/$name.status"
}

# The directory that a void run kept, and says so; removed.
drop_kept() {
	local kept
	kept=$(sed -n 's/.*the logs are in \(.*\)/\1/p' "$work/$1.err")
	if [ -n "$kept" ]; then
		(cd "$top" && rm -rf "$kept")
	fi
}

test_scan
name=vm-test.$$

# Two at a time: they must not get in each other's way.
# shellcheck disable=SC2016 # for the guest's shell
vm status --name "$name" -- 'echo hello; echo "$((6 * 7))" >/results/answer; exit 7' &
# Said by the command, as a kernel would: no status may hide it.
vm warning -- "echo 'WARNING: CPU: 0 PID: 7 at a.c:1' >/dev/kmsg; exit 0" &
wait
vm panic -- 'echo c >/proc/sysrq-trigger; sleep 60' &
vm silent -- 'echo b >/proc/sysrq-trigger; sleep 60' &
wait
vm hang --timeout 20 -- 'echo begun; sleep 1000'

is "the command's status is the run's" "$(<"$work/status.status")" 7
is "the command's output is the run's" "$(<"$work/status.out")" hello
is "what is left in /results comes out" "$(cat "$build/vm/$name/results/answer")" 42
is "the kernel log comes out" "$(grep -c 'Linux version' "$build/vm/$name/dmesg.log")" 1
is "a boot's own log is clean" "$("$top/scripts/vmlog.sh" "$build/vm/$name"/*.log)" ""
is "a warning in the kernel log voids a run" "$(<"$work/warning.status")" 125
is "and is shown" "$(grep -c 'WARNING: CPU: 0 PID: 7 at a.c:1' "$work/warning.err")" 1
is "a panic voids a run" "$(<"$work/panic.status")" 125
is "and is shown" "$(grep -c 'Kernel panic' "$work/panic.err")" 1
is "an end without a word voids a run" "$(<"$work/silent.status")" 125
is "a hang voids a run" "$(<"$work/hang.status")" 124
is "and what it printed before arrives" "$(<"$work/hang.out")" begun

for run in warning panic silent hang; do
	drop_kept "$run"
done
rm -rf "${build:?}/vm/$name"
echo "1..$number"
exit "$failed"
