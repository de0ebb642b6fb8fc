#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What recording costs, beside what other tools cost: in guest instructions, the
# same on every machine; whether CPUs wait for each other; whether records are lost,
# and counted. Takes half an hour.
#
# usage: [PARTS="cost where smp full scale"] [BLOCKS=N] [ROUNDS=N] [MINUTE=60]
#        [LOADS="connect netns write16k write200 flood"] scripts/bench.sh [TRACER...]
#
#	cost	instructions added, by tracer and load (TRACER names rows of the table)
#	where	in which part of the kernel and of the reader a reader's are
#	smp	the same on 1, 2 and 4 CPUs that all write at once
#	full	MINUTE= seconds at the full rate, a flood, a reader that stood still
#	scale	the reader at more and more connections: see scripts/bench/scale.sh
#
# Prints tables; leaves them, the numbers as JSON, and a picture in build/bench:
# table.md, bench.json (where.json, smp1.json ..., full.json), bench.svg (OUT= elsewhere; PICTURE=no
# without the last).

. "$(dirname "$0")/common.sh"

out=${OUT:-$build/bench}
# Two benches may run at once: each has its own OUT.
vm=${out##*/}
unset MAKEFLAGS MFLAGS MAKELEVEL
picture=${PICTURE:-bench}
status=0

# guest NAME COMMAND VM-OPTION...: COMMAND leaves NAME.json in the VM's /results. It may
# fail and leave it all the same: then the numbers are told, and the failure at the end.
guest() {
	local name=$1 command=$2
	shift 2
	"$top/scripts/vm.sh" run --name "$vm" --timeout 7200 --add "$out/guest=/bench" "$@" -- \
		"$command" || status=$?
	[ -e "$build/vm/$vm/results/$name.json" ] || die "$name: the VM has measured nothing"
	cp "$build/vm/$vm/results/$name.json" "$out/$name.json"
}

tell() {
	python3 "$top/scripts/bench/$1.py" "${@:2}" | tee -a "$out/table.md"
}

# instructions PACKAGES NAME COMMAND: one CPU whose time is instructions. Nothing by
# chance, so that two runs agree: addresses, random numbers, the date.
instructions() {
	PACKAGES=$1 QEMU_EXTRA="${QEMU_EXTRA:-} -seed 1 -rtc base=2026-01-01,clock=vm" \
		ACCEL=icount guest "$2" "$3" --smp 1 --mem 2048 --append "nokaslr norandmaps"
}

part_cost() {
	local command="ROUNDS=${ROUNDS:-3} BLOCKS=${BLOCKS:-3}"
	if [ -n "${LOADS:-}" ]; then
		command+=" LOADS=$(printf %q "$LOADS")"
	fi
	command+=" python3 scripts/bench/guest.py /results/bench.json"
	if [ $# != 0 ]; then
		command+=$(printf ' %q' "$@")
	fi
	instructions "$PACKAGES" bench "$command"
	tell report "$out/bench.json" "$out/bars.dat"
	if [ "$picture" != no ]; then
		gnuplot -e "data='$out/bars.dat'; out='$out/bench.svg'" \
			"$top/scripts/bench/bars.gnuplot"
	fi
}

part_where() {
	instructions linux-perf where "python3 scripts/bench/where.py /results/where.json"
	tell where_report "$out/where.json" "$top/user/tcphs"
}

# A CPU gets through as many instructions in a second however many there are: 4 ns
# each on one, 1 ns on four that take turns. Linux trusts the time stamp counters of
# several CPUs where the processor says that they are constant, which QEMU's does not
# say: with tsc=reliable there is one clock in all three, the one of real machines.
part_smp() {
	local cpus shift
	for cpus in 1 2 4; do
		case $cpus in
		1) shift=2 ;;
		2) shift=1 ;;
		4) shift=0 ;;
		esac
		PACKAGES='' ACCEL=icount SHIFT=$shift guest smp \
			"python3 scripts/bench/smp.py /results/smp.json $shift" \
			--smp "$cpus" --mem 1024 --append tsc=reliable
		mv "$out/smp.json" "$out/smp$cpus.json"
	done
	tell smp_report "$out"/smp[124].json
	tell writers "$top/tcphs.ko" || status=$?
}

part_full() {
	# A minute of JSON is 3 GB in /tmp.
	PACKAGES='' guest full "mount -o remount,size=80% /tmp
		MINUTE=${MINUTE:-60} python3 scripts/bench/full.py /results/full.json" \
		--smp 2 --mem 8192 --append tsc=reliable
	tell full_report "$out/full.json"
}

# Here, not in a VM.
part_scale() {
	OUT=$out "$top/scripts/bench/scale.sh" >&2 || status=$?
	cat "$out/scale.md" >>"$out/table.md"
	cat "$out/scale.md"
}

"$top/scripts/dependencies.sh" build vm "${picture/no/vm}"
"$top/scripts/build.sh"

# The peers, in the guest's root.
export PACKAGES=${PACKAGES-bpftrace libbpf-tools}
mkdir -p "$out/guest"
gcc -O2 -Wall -static -o "$out/guest/load" "$top/scripts/bench/load.c"
gcc -O2 -Wall -static -I "$top/module/uapi" -o "$out/guest/census" "$top/scripts/bench/census.c"
: >"$out/table.md"
for part in ${PARTS:-cost where smp full scale}; do
	case "$part" in
	cost) part_cost "$@" ;;
	where) part_where ;;
	smp) part_smp ;;
	full) part_full ;;
	scale) part_scale ;;
	*) die "PARTS: $part is none; cost, where, smp, full, scale are" ;;
	esac
done
say "the tables, and the numbers, are in ${out#"$top"/}"
exit "$status"
