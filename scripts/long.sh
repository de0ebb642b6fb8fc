#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What takes too long for `make check`, in the VM.
#
# usage: [MINUTES=30] scripts/long.sh soak
#        [LOADS=1000] [TIDES=100] scripts/long.sh life
#
#	soak	tests/soak.sh: mixed load for MINUTES, with readers
#	life	tests/life_loads.sh: LOADS times the module is loaded and unloaded, while
#		namespaces come and go, TIDES at once; some 4 s each
#
# SUITE= FLAVOUR= KERNEL= choose the kernel: see scripts/kernel.sh. Ends with the
# line "N passed, N failed".

. "$(dirname "$0")/common.sh"
. "$top/scripts/ktap.sh"

[ $# = 1 ] || usage 2
what=$1
minutes=${MINUTES:-30} loads=${LOADS:-1000} tides=${TIDES:-100}
[[ "$minutes" =~ ^[1-9][0-9]*$ ]] || die "MINUTES=$minutes: a number of minutes is meant"
[[ "$loads" =~ ^[1-9][0-9]*$ ]] || die "LOADS=$loads: a number of loads is meant"
[[ "$tides" =~ ^[1-9][0-9]*$ ]] || die "TIDES=$tides: a number of namespaces is meant"
case "$what" in
soak)
	title="soak, $minutes minutes"
	seconds=$((minutes * 120))
	command=(env "MINUTES=$minutes" /tcphs/tests/soak.sh)
	;;
life)
	title="$loads loads"
	seconds=$((loads * 30))
	command=(env "LOADS=$loads" "TIDES=$tides" /tcphs/tests/life_loads.sh)
	;;
*) usage 2 ;;
esac
logs=$build/$what
unset MAKEFLAGS MFLAGS MAKELEVEL

"$top/scripts/dependencies.sh" build vm
"$top/scripts/build.sh"
mkdir -p "$logs"
ktap_program "$title" "$logs/$what.log" \
	"$top/scripts/vm.sh" run --smp "${SMP:-2}" --mem "${MEM:-2048}" \
	--timeout $((seconds + 1200)) --name "$what" -- "${command[@]}"
cat "$logs/$what.log"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
