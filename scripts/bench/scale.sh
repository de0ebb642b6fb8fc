#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the reader takes for 10,000, 100,000 and 1,000,000 connections: instructions,
# time and memory. They must be straight lines, else it fails. Runs here, without a
# VM, for ten minutes or so; wants 10 GB of memory for the last row.
#
# usage: [COUNTS="10000 100000 1000000"] [COUNTED="1000 10000"]
#        scripts/bench/scale.sh [COMMAND...]
#
# COUNTS: how many connections time and memory are measured for; COUNTED: those
# for which instructions are counted, by valgrind. COMMAND: "list", "timeline",
# "live", "events --json" or another one that reads a recording. Prints a table;
# leaves it, and the numbers as JSON, in build/bench (OUT= elsewhere).

. "$(dirname "$0")/../common.sh"

out=${OUT:-$build/bench}
unset MAKEFLAGS MFLAGS MAKELEVEL
"$top/scripts/dependencies.sh" build scale
make -s -C "$top/user"
mkdir -p "$out"
for tool in multiply usage; do
	gcc -O2 -Wall -Wextra -isystem "$top/module/uapi" -I"$top/user" -o "$out/$tool" \
		"$top/scripts/bench/$tool.c"
done
set -o pipefail
status=0
python3 "$top/scripts/bench/scale.py" "$top/user/tcphs" "$out" \
	"$top/tests/data/loopback.tcphs" "$out/scale.json" "$@" | tee "$out/scale.md" || status=$?
say "the table, and the numbers, are in ${out#"$top"/}"
exit "$status"
