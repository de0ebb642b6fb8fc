#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `ss -K` ends sockets in every state in which they can stay: those of a
# connection with a RST, whose state and reason are the kernel's own; requests,
# TIME_WAIT and SYN_SENT without one; and a listener with what it had not handed over.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

resets=

# The trace of tcp_send_reset: it has the reason where the kernel knows one.
row_begins() {
	command -v ss >/dev/null || skip_all "no ss on this machine"
	modprobe -q tcp_diag
	resets=$TRACING/instances/tcphs-resets.$$
	mkdir "$resets" || skip_all "cannot make an ftrace instance"
	defer rmdir "$resets"
	echo mono >"$resets/trace_clock"
	echo 2048 >"$resets/buffer_size_kb"
	echo 1 >"$resets/events/tcp/tcp_send_reset/enable"
}

NOWHERE=1 row killed
cp "$resets/trace" "$WORK/resets.trace"
skipped=$ktap_skipped
relayed ./resets.py "$WORK"
missing=$((ktap_skipped != skipped))
is "stats says whether a reset's reason can be told" \
	"$(grep -c '^not_observed.*\breset_reason\b' /proc/tcphs/stats)" "$missing"
finish
