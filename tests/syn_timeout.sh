#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every SYN is lost: repeated after 1, 2, 4 s, and then connect() gives up.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
find_tool
module_use
place_netns
wire_drop 'tcp flags & syn == syn drop'
window_open
window_traffic syn_timeout
window_close
window_judge

# The gaps between the SYNs grow, and the last wait is the longest; each timer may
# be late, and none is early.
while read -r name gaps; do
	is "$name: between the SYNs, and to the end" "${gaps%% \[*}" "1, 2 and 4 s"
done < <(python3 -c '
import json, sys
for row in map(json.loads, open(sys.argv[1])):
    if row["kind"] == "connection":
        at = [s["ts"] for s in row["steps"]] + [row["client"]["states"][-1]["ts"]]
        gaps = [(b - a) / 1e9 for a, b in zip(at, at[1:])]
        good = len(gaps) == 3 and gaps == sorted(gaps) and all(
            least - 0.1 < gap < 2 * least for gap, least in zip(gaps, (1, 2, 4)))
        print(row["client"]["addr"], "1, 2 and 4 s" if good else "not so", gaps)
' "$WORK/timeline.json")
finish
