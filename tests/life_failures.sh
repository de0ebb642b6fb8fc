#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Memory runs out while the module loads, at every single allocation in turn: the
# load fails with ENOMEM, or does without, and leaves nothing behind. It takes a
# kernel with fault injection (`make check-debug` has one).
. "$(dirname "$0")/lib.sh"

begin
module_away
[ -n "$TCPHS_KO" ] || skip_all "needs the module's file, not modprobe"
[ -e /proc/self/fail-nth ] ||
	skip_all "no fault injection in this kernel (CONFIG_FAULT_INJECTION)"
for kind in failslab fail_page_alloc; do
	directory=/sys/kernel/debug/$kind
	[ -d $directory ] || continue
	echo N >$directory/ignore-gfp-wait
	echo 0 >$directory/verbose
	defer sh -c "echo Y >$directory/ignore-gfp-wait"
	[ ! -e $directory/min-order ] || echo 0 >$directory/min-order
	# vmalloc()'s pages, too: the rings are made of them.
	if [ -e $directory/ignore-gfp-highmem ]; then
		echo N >$directory/ignore-gfp-highmem
		defer sh -c "echo Y >$directory/ignore-gfp-highmem"
	fi
done
kernel_mark
relayed ./failures.py "$TCPHS_KO" ring_kb=16 ports=80,443
check "it loads when memory is there" module_insert ring_kb=16
check "and records" grep -q '^records_written' /proc/tcphs/stats
check "rmmod" timeout 60 rmmod tcphs
kernel_quiet "the kernel did not complain"
finish
