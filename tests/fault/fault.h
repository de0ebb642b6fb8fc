/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults, for a test-only build of the module: scripts/check-debug.sh has this
 * included before module/proc.c. With the parameter fault=NAME, which may be changed
 * in /sys/module/tcphs/parameters, writing to /proc/tcphs/filter commits the fault
 * NAME, and the debug kernel must report it: else its silence about the module says
 * nothing.
 */
#ifndef _TCPHS_FAULT_H
#define _TCPHS_FAULT_H

#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *fault = "";
module_param(fault, charp, 0644);
MODULE_PARM_DESC(fault, "the fault to commit");

static int __rcu *fault_pointer;
static unsigned int fault_bits = 40;
static unsigned long fault_count;
static DEFINE_MUTEX(fault_a);
static DEFINE_MUTEX(fault_b);
static struct timer_list fault_timer;

static void fault_tick(struct timer_list *timer)
{
}

static bool fault_is(const char *name)
{
	return !strcmp(fault, name);
}

static void fault_locks(struct mutex *first, struct mutex *second)
{
	mutex_lock(first);
	mutex_lock(second);
	mutex_unlock(second);
	mutex_unlock(first);
}

/* Stands for kfree() in module/proc.c. */
static void fault_commit(const void *memory)
{
	volatile const char *bytes = memory;
	unsigned long end;
	char *own;

	if (!memory)
		return;
	if (fault_is("leak"))
		return;
	kfree(memory);
	if (fault_is("use_after_free")) {
		fault_count += *bytes;
	} else if (fault_is("out_of_bounds")) {
		own = kmalloc(40, GFP_KERNEL);
		if (own)
			((volatile char *)own)[fault_bits] = 1;
		kfree(own);
	} else if (fault_is("sleep")) {
		preempt_disable();
		kfree(kmalloc(40, GFP_KERNEL));
		preempt_enable();
	} else if (fault_is("lock_order")) {
		fault_locks(&fault_a, &fault_b);
		fault_locks(&fault_b, &fault_a);
	} else if (fault_is("rcu")) {
		fault_count += !!rcu_dereference(fault_pointer);
	} else if (fault_is("shift")) {
		fault_count += 1 << READ_ONCE(fault_bits);
	} else if (fault_is("timer")) {
		timer_setup(&fault_timer, fault_tick, 0);
		mod_timer(&fault_timer, jiffies + HZ);
		timer_setup(&fault_timer, fault_tick, 0);
	} else if (fault_is("race")) {
		/* Long enough for another CPU to do so, too, on a busy machine. */
		for (end = jiffies + HZ / 2; time_before(jiffies, end);) {
			fault_count++;
			barrier();
		}
	}
}

#define kfree fault_commit

#endif /* _TCPHS_FAULT_H */
