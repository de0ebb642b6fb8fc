#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the VM, on a kernel with kmemleak: has it found memory that nobody holds?
# Prints what; ends with 1 if so, or if kmemleak or lockdep has given up looking; with
# 0, silent, on other kernels.
#
# usage: scripts/check-leaks.sh

leaks=/sys/kernel/debug/kmemleak
if [ -r /proc/lockdep_stats ] && ! grep -q 'debug_locks: *1$' /proc/lockdep_stats; then
	echo "lockdep looks no more: $(grep debug_locks: /proc/lockdep_stats)"
	exit 1
fi
[ -w $leaks ] || exit 0
# What is younger than a few seconds is not judged, and what one scan suspects
# another confirms.
for _ in 1 2 3; do
	sleep 6
	if ! echo scan >$leaks; then
		echo "kmemleak looks no more"
		exit 1
	fi
done
found=$(cat $leaks)
[ -n "$found" ] || exit 0
printf '%s\n' "$found"
exit 1
