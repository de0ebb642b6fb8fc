#!/bin/bash
# Looks through kernel logs for what must never be in one: panics, oopses,
# warnings, and the reports of lockdep, KASAN, UBSAN, RCU and the watchdogs, and
# programs that crashed.
#
#	usage: scripts/vmlog.sh LOG...
#
# Prints each report with what follows it and ends with 1; ends with 0, silent,
# when there is none.
. "$(dirname "$0")/common.sh"

bad='cut here|Kernel panic|kernel BUG at|\bBUG: |\bOops\b|\bWARNING: |Internal error'
bad+='|general protection fault|[Uu]nable to handle|double fault|stack segment:'
bad+='|INFO: possible|INFO: task .* blocked|INFO: rcu|rcu: INFO:|INFO: trying to register'
bad+='|possible recursive locking|inconsistent lock state|suspicious RCU usage|DEBUG_LOCKS_WARN'
bad+='|soft lockup|hard LOCKUP|\bKASAN\b|\bKCSAN\b|\bKFENCE\b|\bUBSAN\b|kmemleak: [0-9]'
bad+='|sleeping function called|scheduling while atomic|bad: scheduling|refcount_t: '
bad+='|list_(add|del) corruption|Bad page|slab .*corrupt|unregister_netdevice: waiting'
bad+='|Call Trace:|segfault at|traps: '

status=0
for log; do
	if grep -aqE "$bad" "$log"; then
		echo "${log##*/}:"
		# Progress reports of the boot begin with kfence: or KFENCE; that one
		# line is no report, so look for what is left.
		grep -aE -A 24 "$bad" "$log" | head -n 80
		status=1
	fi
done
exit "$status"
