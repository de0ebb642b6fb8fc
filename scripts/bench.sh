#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What recording costs, beside what other tools cost: in guest instructions, the
# same on every machine. Takes a quarter of an hour.
#
# usage: [BLOCKS=N] [LOADS="connect netns write16k write200 flood"]
#        scripts/bench.sh [TRACER...]
#
# Prints a table; leaves it, the numbers as JSON, and a picture in build/bench:
# table.md, bench.json, bench.svg. TRACER names rows of the table.

. "$(dirname "$0")/common.sh"

out=$build/bench
unset MAKEFLAGS MFLAGS MAKELEVEL
"$top/scripts/dependencies.sh" build vm bench
"$top/scripts/build.sh"

# The peers, in the guest's root.
export PACKAGES="bpftrace libbpf-tools"
mkdir -p "$out/guest"
gcc -O2 -Wall -static -o "$out/guest/load" "$top/scripts/bench/load.c"

words=
if [ $# != 0 ]; then
	words=$(printf ' %q' "$@")
fi
ACCEL=icount "$top/scripts/vm.sh" run --name bench --smp 1 --mem 2048 --timeout 7200 \
	--add "$out/guest=/bench" -- \
	"${BLOCKS:+BLOCKS=$BLOCKS }${LOADS:+LOADS='$LOADS' }python3 scripts/bench/guest.py /results/bench.json$words"
cp "$build/vm/bench/results/bench.json" "$out/bench.json"
python3 "$top/scripts/bench/report.py" "$out/bench.json" "$out/bars.dat" | tee "$out/table.md"
gnuplot -e "data='$out/bars.dat'; out='$out/bench.svg'" "$top/scripts/bench/bars.gnuplot"
say "table.md, bench.json and bench.svg are in ${out#"$top"/}"
