#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Anything at all is written to /proc/tcphs/filter, by one and by several, while
# connections come and go. Each write has the result that it must have, and the
# kernel stays sound. TCPHS_SEED= which writes, TCPHS_WRITES= how many (3000).
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

begin
module_load
kernel_mark
netns_add NS_LO
./churn.py --workers 1 "$NS_LO" >"$WORK/churn" 2>&1 &
churn=$!
defer kill $churn
wait_for 240 grep -q ready "$WORK/churn" || fail "connections are being made"
relayed ./hostile_filter.py "${TCPHS_SEED:-$RANDOM}" "${TCPHS_WRITES:-3000}"
check "connections are still being made" kill -0 $churn
check "the module goes" rmmod tcphs
kernel_quiet "the kernel did not complain"
finish
