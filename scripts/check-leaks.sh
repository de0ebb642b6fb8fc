#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the VM, on a kernel with kmemleak: has it found memory that nobody holds?
# Prints what; ends with 1 if so, or if kmemleak or lockdep has given up looking; with
# 0, silent, on other kernels.
#
# usage: scripts/check-leaks.sh

leaks=/sys/kernel/debug/kmemleak
status=0
# wrong TEXT
wrong() {
	printf '%s\n' "$1"
	status=1
}

if [ -w $leaks ]; then
	# What is younger than a few seconds is not judged, and what one scan suspects
	# another confirms.
	for _ in 1 2 3; do
		sleep 6
		echo scan >$leaks || status=1
	done
	[ "$status" = 0 ] || wrong "kmemleak looks no more"
	found=$(cat $leaks)
	[ -z "$found" ] || wrong "$found"
fi
# Last: what lockdep has found ends its own work, not that of kmemleak.
if [ -r /proc/lockdep_stats ] && ! grep -q 'debug_locks: *1$' /proc/lockdep_stats; then
	wrong "lockdep looks no more: $(grep debug_locks: /proc/lockdep_stats)"
fi
exit $status
