#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the VM, on a kernel with kmemleak: has it found memory that nobody holds?
# Prints what; ends with 1 if so, and with 0, silent, on other kernels.
#
# usage: scripts/check-leaks.sh

leaks=/sys/kernel/debug/kmemleak
[ -w $leaks ] || exit 0
# What is younger than a few seconds is not judged, and what one scan suspects
# another confirms.
for _ in 1 2 3; do
	sleep 6
	echo scan >$leaks || exit 0
done
found=$(cat $leaks)
[ -n "$found" ] || exit 0
printf '%s\n' "$found"
exit 1
