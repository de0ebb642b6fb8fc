#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs every unit test and numbers the results of all of them as one TAP stream.
#
# usage: run.sh DIRECTORY-OF-PROGRAMS

cd "$(dirname "$0")" || exit 1
out=$1
data=../data
failed=$(mktemp) || exit 1
trap 'rm -f "$failed"' EXIT

# step PROGRAM ARGUMENT...: its results, and how it ended: without an error or, where a
# result is one, with 1; anything else is a failure, too.
step() {
	"$@"
	echo "ended $? $*"
}

{
	step "$out/parts_test"
	step "$out/value_test"
	step "$out/align_test"
	step "$out/stock_test"
	step "$out/scene_test" "$data"/*.scene
	step ./replay.sh "$out"
	step "$out/fuzz_test" ../fuzz/corpus
	step python3 damage.py "$out"
	step python3 export.py "$out"
	step python3 merge.py "$out"
	step python3 loss.py "$out"
	step python3 several.py "$out"
	step python3 cuts.py "$out"
	step python3 parse.py "$out"
	step python3 feed.py "$out"
	step python3 prometheus.py "$out"
	step python3 list.py "$out"
	step python3 live.py "$out"
	step python3 view.py "$out"
	step python3 unload.py "$out"
	step python3 progress.py "$out"
	step python3 usage.py "$out"
	step python3 replace.py "$out"
	step python3 outlets.py "$out"
	step python3 pages.py "$out"
	step python3 fleet.py "$out"
	step ./completion.sh "$out"
} | awk -v failed="$failed" '
	BEGIN { print "TAP version 13" }
	function fail(name) {
		print "not ok " ++n " - " name
		print n >failed
		failures++
	}
	/^ok / { sub(/^ok /, ""); print "ok " ++n " - " $0; next }
	/^not ok / { sub(/^not ok /, ""); fail($0); next }
	/^ended [0-9]+ / {
		status = $2
		sub(/^ended [0-9]+ /, "")
		if (status > 1 || (status == 1 && !failures) || (!status && failures))
			fail($0 " ended with status " status)
		failures = 0
		next
	}
	{ print }
	END { print "1.." n }
'
[ ! -s "$failed" ]
