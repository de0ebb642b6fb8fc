#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Segments that no TCP sends: flags that exclude each other, headers too short or
# too long, options that run past the end, port 0, fragments. Neither kernel nor
# tool may stumble, and the connection beside them is told as it was.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# tcpdump does not look behind IPv6 extension headers by itself.
CAPTURED='tcp or udp port 9 or (ip6 and not icmp6)'
# What the stack drops before its hooks see it is not in the tool's account.
ROW_WITHOUT_ACCOUNT=1 row malformed
# Each record of a segment has its capture: of what the stack refused there may be
# none, of what never came there must be none.
relayed ./account.py --no-verdicts --refused "$WORK"
is "nothing is told of segments that the stack keeps from TCP" \
	"$(grep '"dir":"in"' "$WORK/events.json" | grep -c '"seq":8888000,')" 0
for how in events timeline list stats "events --json" "timeline --explain"; do
	# shellcheck disable=SC2086 # two words
	check "tcphs $how can be had" "$TCPHS" $how
done
finish
