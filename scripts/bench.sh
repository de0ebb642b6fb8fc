#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What recording costs, beside what other tools cost: in guest instructions, the
# same on every machine. Takes a quarter of an hour.
#
# usage: [BLOCKS=N] [LOADS="connect netns write16k write200 flood"]
#        scripts/bench.sh [TRACER...]
#
# Prints a table; leaves it, the numbers as JSON, and a picture in build/bench:
# table.md, bench.json, bench.svg (OUT= elsewhere; PICTURE=no without the last).
# TRACER names rows of the table.

. "$(dirname "$0")/common.sh"

out=${OUT:-$build/bench}
# Two benches may run at once: each has its own OUT.
vm=${out##*/}
unset MAKEFLAGS MFLAGS MAKELEVEL
picture=${PICTURE:-bench}
"$top/scripts/dependencies.sh" build vm "${picture/no/vm}"
"$top/scripts/build.sh"

# The peers, in the guest's root.
export PACKAGES=${PACKAGES-bpftrace libbpf-tools}
mkdir -p "$out/guest"
gcc -O2 -Wall -static -o "$out/guest/load" "$top/scripts/bench/load.c"

command="BLOCKS=${BLOCKS:-5}"
if [ -n "${LOADS:-}" ]; then
	command+=" LOADS=$(printf %q "$LOADS")"
fi
command+=" python3 scripts/bench/guest.py /results/bench.json"
if [ $# != 0 ]; then
	command+=$(printf ' %q' "$@")
fi
status=0
ACCEL=icount "$top/scripts/vm.sh" run --name "$vm" --smp 1 --mem 2048 --timeout 7200 \
	--add "$out/guest=/bench" -- "$command" || status=$?
[ -e "$build/vm/$vm/results/bench.json" ] || exit 1
cp "$build/vm/$vm/results/bench.json" "$out/bench.json"
python3 "$top/scripts/bench/report.py" "$out/bench.json" "$out/bars.dat" | tee "$out/table.md"
if [ "$picture" != no ]; then
	gnuplot -e "data='$out/bars.dat'; out='$out/bench.svg'" \
		"$top/scripts/bench/bars.gnuplot"
fi
say "the table, and the numbers, are in ${out#"$top"/}"
exit "$status"
