#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The part of `make check` that runs in the VM: loads the module, runs the
# collection, unloads the module.
#
# usage: scripts/check-guest.sh REPEAT RUNNER-OPTION...

repeat=$1
shift
export TCPHS=/tcphs/user/tcphs TCPHS_KO=/tcphs/tcphs.ko

insmod "$TCPHS_KO" || exit 1
while [ "$repeat" -gt 0 ]; do
	/kselftest/run_kselftest.sh "$@" || exit 1
	repeat=$((repeat - 1))
done
rmmod tcphs
