#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Has recording become more expensive? Measures what it adds to a connection, as a
# share of what ftrace's own event adds in the same run, so that another kernel
# package or compiler does not matter, and compares with scripts/bench/recorded.json:
# more than 5 % above it is a failure. Prints KTAP.
#
# usage: scripts/bench-check.sh [record]
#
# record writes what was measured into that file. What is over the limit is measured
# again, up to three times: a kernel's own cost is not the same in each boot.

. "$(dirname "$0")/common.sh"

recorded=$top/scripts/bench/recorded.json
out=$build/bench/check
record=
case "${1:-}" in
'') ;;
record) record=$recorded ;;
*) usage 2 ;;
esac

# Its result is in tap.
measure() {
	local try
	for try in 1 2 3; do
		PARTS=cost PACKAGES='' PICTURE=no OUT=$out ROUNDS=5 BLOCKS=3 LOADS=connect \
			"$top/scripts/bench.sh" "tcphs segments=none" tcphs "ftrace event" >"$out/log" 2>&1 || {
			tail -n 20 "$out/log" >&2
			die "the bench failed"
		}
		python3 "$top/scripts/bench/compare.py" "$out/bench.json" "$recorded" \
			"$record" >"$out/tap" && break
		say "over the limit, measurement $try of 3"
	done
	cat "$out/tap"
	! grep -q '^not ok' "$out/tap"
}

mkdir -p "$out"
locked bench-check measure
