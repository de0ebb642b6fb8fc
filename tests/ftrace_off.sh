#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With kernel.ftrace_enabled=0 ftrace calls nobody, and says nothing of it: what the
# module has by way of ftrace is called unavailable then, by `stats` and in the
# records' header, and what is left is recorded. With ftrace on, it stays on.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

SWITCH=/proc/sys/kernel/ftrace_enabled
HOOKS="tcp_twsk_destructor tcp_v4_reqsk_destructor tcp_v6_reqsk_destructor security_sock_graft"

# hook NAME: what stats says of it
hook() {
	sed -n "s/^hook_$1 //p" /proc/tcphs/stats
}

begin
find_tool
[ -w "$SWITCH" ] || skip_all "no $SWITCH in this kernel"
module_away
kernel_mark
was=$(<"$SWITCH")
defer sh -c "echo $was >$SWITCH"
defer module_away

echo 0 >"$SWITCH"
check "ftrace off: the module loads" module_insert
for name in $HOOKS; do
	contains "ftrace off: $name" "$(hook "$name")" "unavailable (error -16)"
done
contains "the kernel log says what helps" "$(kernel_since)" \
	"after \`sysctl kernel.ftrace_enabled=1\` load the module again"
netns_add NS_LO
./churn.py --count 10 --workers 1 "$NS_LO" >/dev/null
contains "transitions are recorded" \
	"$("$TCPHS" list --netns "$(netns_inode "$NS_LO")" --json)" '"open":"three-way"'
contains "the timeline says what is not observed" \
	"$("$TCPHS" timeline --netns "$(netns_inode "$NS_LO")")" \
	"the end of TIME_WAIT is not observed"
check "it is unloaded" rmmod tcphs

echo 1 >"$SWITCH"
check "ftrace on: the module loads" module_insert
for name in $HOOKS; do
	is "ftrace on: $name" "$(hook "$name")" attached
done
said=$( (echo 0 >"$SWITCH") 2>&1)
contains "nobody turns it off meanwhile" "$said" "Device or resource busy"
is "it is still on" "$(<"$SWITCH")" 1
check "it is unloaded again" rmmod tcphs
check "now it can be turned off" sh -c "echo 0 >$SWITCH"
kernel_quiet "the kernel did not complain"
finish
