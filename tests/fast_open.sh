#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fast Open: a cookie is asked for, data rides in the SYN, and a server that has
# it switched off makes it an ordinary open.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

row fast_open
# Each has become a connection, also where accept() was before the handshake's end.
is "no request has ended without one" "$(python3 -c '
import json, sys
print(sum((r["kind"], r.get("via"), r.get("new")) == ("transition", "request", "CLOSE")
          for r in map(json.loads, open(sys.argv[1]))))
' "$WORK/events.json")" 0
finish
