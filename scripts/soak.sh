#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs tests/soak.sh in the VM: mixed load for a long time, with readers.
#
# usage: [MINUTES=30] scripts/soak.sh
#
# SUITE= FLAVOUR= KERNEL= choose the kernel: see scripts/kernel.sh. Ends with the
# line "N passed, N failed".

. "$(dirname "$0")/common.sh"
. "$top/scripts/ktap.sh"

[ $# = 0 ] || usage 2
minutes=${MINUTES:-30}
[[ "$minutes" =~ ^[1-9][0-9]*$ ]] || die "MINUTES=$minutes: a number of minutes is meant"
logs=$build/soak
unset MAKEFLAGS MFLAGS MAKELEVEL

"$top/scripts/dependencies.sh" build vm
"$top/scripts/build.sh"
mkdir -p "$logs"
ktap_program "soak, $minutes minutes" "$logs/soak.log" \
	"$top/scripts/vm.sh" run --smp "${SMP:-2}" --mem "${MEM:-2048}" \
	--timeout $((minutes * 120 + 1200)) --name soak -- \
	env "MINUTES=$minutes" /tcphs/tests/soak.sh
cat "$logs/soak.log"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
