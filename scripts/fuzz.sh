#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fuzzes the reader with libFuzzer: its decoder, what joins records, the filter
# and the exports. A finding fails, and is kept in build/fuzz/findings.
#
# usage: [FUZZ_SECONDS=N] scripts/fuzz.sh [run | keep] [TARGET...]
#
#	run	(the default) each TARGET (stream, tracker, filter, export,
#		json) for its share of FUZZ_SECONDS (3600), from what
#		build/fuzz/corpus, tests/fuzz/corpus and the scenes of
#		tests/data have. The filter's is a fifth of another's: what
#		parses it is libpcap, which cannot be looked into
#	keep	the fewest inputs that reach the same code into
#		tests/fuzz/corpus, from where `make check` replays them
#
# The last line of run is "N passed, N failed": of the targets.
#
# For tests/fuzz/corpus a finding's input is copied by hand, once it is mended.

. "$(dirname "$0")/common.sh"

mode=${1:-run}
case "$mode" in
run | keep) shift || true ;;
*) usage 2 ;;
esac
seconds=${FUZZ_SECONDS:-3600}
[[ "$seconds" =~ ^[1-9][0-9]*$ ]] || die "FUZZ_SECONDS=$seconds: a number of seconds is meant"
targets=("$@")
[ $# != 0 ] || targets=(stream tracker filter export json)
fuzz=$build/fuzz
kept=$top/tests/fuzz/corpus
passed=0 failed=0

unset MAKEFLAGS MFLAGS MAKELEVEL
"$top/scripts/dependencies.sh" build fuzz
make -s -C "$top/tests/fuzz" OUT="$fuzz"

# The inputs may be longer than what is kept, to reach what many records do.
options=(-max_len=4096 -timeout=20 -rss_limit_mb=2048 -close_fd_mask=3 -print_final_stats=1)
export ASAN_OPTIONS=allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$top/tests/unit/lsan.supp:print_suppressions=0

# Recordings that are whole, each as a stream and as an export, in the ways that
# the first two bytes choose.
make_seeds() {
	local scene name i=0
	make -s -C "$top/tests/unit" plain/scene_test
	for scene in "$top"/tests/data/*.scene; do
		name=$(basename "$scene" .scene)
		"$top/tests/unit/plain/scene_test" -o "$fuzz/seed" "$scene" >/dev/null
		[ "$(stat -c %s "$fuzz/seed")" -le 4094 ] || continue
		for target in stream export; do
			mkdir -p "$fuzz/seeds/$target"
			i=$((i + 1))
			{
				# shellcheck disable=SC2059 # the bytes are the format
				printf "\\x$(printf %02x $((32 + i % 4)))\\x$(printf %02x $((i * 7 % 256)))"
				cat "$fuzz/seed"
			} >"$fuzz/seeds/$target/$name"
		done
	done
	# A record of each kind, and some together, as JSON.
	mkdir -p "$fuzz/seeds/json"
	make -s -C "$top/tests/unit" plain/tcphs
	i=0
	for scene in "$top"/tests/data/*.scene; do
		"$top/tests/unit/plain/scene_test" -o "$fuzz/seed" "$scene" >/dev/null
		i=$((i + 1))
		{
			# shellcheck disable=SC2059 # the bytes are the format
			printf "\\x$(printf %02x $((i % 4)))\\x$(printf %02x $((i * 7 % 256)))"
			"$top/tests/unit/plain/tcphs" events --json -r "$fuzz/seed" | tail -n 5
		} >"$fuzz/seeds/json/$(basename "$scene" .scene)"
	done
	mkdir -p "$fuzz/seeds/filter" "$fuzz/seeds/tracker"
	i=0
	while read -r name; do
		i=$((i + 1))
		{
			printf '\0\12\0\0\1%012d\12\0\0\2%012d\23\210\0P' 0 0
			printf %s "$name"
		} >"$fuzz/seeds/filter/$i"
	done <<-END
		port 80 and host 10.0.0.1
		tcp[tcpflags] & (tcp-syn|tcp-fin) != 0
		ip6 and net 2001:db8::/32
		src portrange 1-1024 or not dst net 10.0.0.0/8
		tcp port 443 and (ip[2:2] - ((ip[0]&0xf)<<2) != 0)
		len < 100 and ip proto 6 and ip[8] >= 64
	END
}

run() {
	local target=$1 share=$2 log=$fuzz/$1.log dict=$top/tests/fuzz/$1.dict
	[ -e "$dict" ] || dict=$top/tests/fuzz/filter.dict
	mkdir -p "$fuzz/corpus/$target" "$fuzz/findings" "$kept/$target"
	say "$target, for $share s"
	if ! "$fuzz/$target" "${options[@]}" -max_total_time="$share" \
		-artifact_prefix="$fuzz/findings/$target-" -dict="$dict" \
		"$fuzz/corpus/$target" "$kept/$target" "$fuzz/seeds/$target" >"$log" 2>&1; then
		grep -E 'ERROR|SUMMARY|runtime error|fuzz:|Test unit|#[0-9] ' "$log" | head -n 30 >&2
		say "$target: a finding; all of it is in ${log#"$top"/}"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
	sed -n 's/^stat::number_of_executed_units: */inputs run: /p' "$log"
	grep -E 'cov: ' "$log" | tail -n 1
}

keep() {
	local target=$1 new=$fuzz/kept/$1
	rm -rf "$new"
	mkdir -p "$new" "$kept/$target"
	"$fuzz/$target" -max_len=2048 -close_fd_mask=3 -use_counters=0 -set_cover_merge=1 "$new" \
		"$kept/$target" "$fuzz/corpus/$target" >"$fuzz/$target-keep.log" 2>&1
	# A name that says something was given by a person: it stays.
	find "$kept/$target" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
	cp "$new"/* "$kept/$target/"
	say "$target: $(find "$kept/$target" -type f | wc -l) inputs, $(du -sh --apparent-size "$kept/$target" | cut -f 1)"
}

# weight TARGET
weight() {
	[ "$1" = filter ] && echo 1 || echo 5
}

weights=0
for target in "${targets[@]}"; do
	weights=$((weights + $(weight "$target")))
done
if [ "$mode" = run ]; then
	make_seeds
fi
for target in "${targets[@]}"; do
	[ -x "$fuzz/$target" ] || die "no target $target; there are stream, tracker, filter, export, json"
	case "$mode" in
	run)
		share=$((seconds * $(weight "$target") / weights))
		run "$target" $((share > 0 ? share : 1))
		;;
	keep) keep "$target" ;;
	esac
done
if [ "$mode" = run ]; then
	echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
