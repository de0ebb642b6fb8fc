#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The part of `make check` that runs in the VM: the collection, with kselftest's
# runner. Each script loads the module and unloads it, so that none finds what
# another recorded.
#
# usage: scripts/check-guest.sh REPEAT RUNNER-OPTION...

repeat=$1
shift
export TCPHS=/tcphs/user/tcphs TCPHS_KO=/tcphs/tcphs.ko TCPHS_COMPLETE=1

# Its own scans take minutes on an emulated machine, without a pause in which RCU's
# tasks could be counted: rmmod would wait for the end. check-leaks.sh has some made.
if [ -w /sys/kernel/debug/kmemleak ]; then
	echo scan=off >/sys/kernel/debug/kmemleak
fi

# Newer runners end with 1 when a script failed; that is told by the scripts.
while [ "$repeat" -gt 0 ]; do
	/kselftest/run_kselftest.sh "$@" || [ $? = 1 ] || exit 1
	repeat=$((repeat - 1))
done

if [ -e /sys/module/tcphs ]; then
	echo "a script left the module loaded" >&2
	exit 1
fi
/tcphs/scripts/check-leaks.sh >&2
