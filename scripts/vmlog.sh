#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Looks through kernel logs for what must never be in one: panics, oopses,
# warnings, the reports of lockdep, KASAN, UBSAN, RCU and the watchdogs, and
# programs that crashed.
#
# usage: scripts/vmlog.sh LOG...
#
# Prints each report with what follows it and ends with 1; ends with 0, silent,
# when there is none. A report that is in several logs is shown from the first.
# What counts of KCSAN's reports, tests/ours.awk says.

. "$(dirname "$0")/common.sh"

bad='cut here|Kernel panic|kernel BUG at|\bBUG: |\bOops\b|\bWARNING: |Internal error'
bad+='|general protection fault|[Uu]nable to handle|double fault|stack segment:'
bad+='|INFO: possible|INFO: task .* blocked|INFO: trying to register|rcu: INFO:|INFO: rcu'
bad+='|possible recursive locking|inconsistent lock state|suspicious RCU usage'
bad+='|DEBUG_LOCKS_WARN|BUG_ON|soft lockup|hard LOCKUP'
bad+='|BUG: (KASAN|KCSAN|KFENCE|KMSAN)|\bUBSAN: |kmemleak: [0-9]'
# They have given up: their silence says nothing from there on.
bad+='|[Kk]ernel memory leak detector disabled|ODEBUG: [Oo]ut of memory'
bad+='|turning off the locking correctness validator'
bad+='|sleeping function called|scheduling while atomic|bad: scheduling|refcount_t: '
bad+='|list_(add|del) corruption|Bad page|bad page|corrupted'
bad+='|unregister_netdevice: waiting|Out of memory|Call Trace:|segfault at|traps: '

ours() {
	awk -f "$top/tests/ours.awk" "$1"
}

[ $# -gt 0 ] || usage 2
status=0
for log; do
	if [ "$status" = 0 ] && grep -aqE "$bad" <(ours "$log"); then
		echo "${log##*/}:"
		grep -aE -A 24 "$bad" <(ours "$log") | head -n 100
		status=1
	fi
done
exit "$status"
