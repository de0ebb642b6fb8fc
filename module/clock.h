/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CLOCK_MONOTONIC at the cost of a time stamp counter.
 *
 * ktime_get() is a quarter of what a record costs. A CPU asks it once in
 * TCPHS_CLOCK_WINDOW_US and adds what the counter has gone on since, at a rate a
 * little below the true one. So the time is never ahead of CLOCK_MONOTONIC, never
 * steps back on a CPU, and is behind by less than 0.2 us.
 */
#ifndef _TCPHS_CLOCK_H
#define _TCPHS_CLOCK_H

#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/types.h>
#ifdef CONFIG_X86_64
#include <asm/msr.h>
#endif

#define TCPHS_CLOCK_WINDOW_US	100

/* Only its CPU uses it, with interrupts off. */
struct tcphs_clock {
	u64 cycles;		/* the counter, when ktime_get() was asked */
	u64 ns;			/* what it said */
	u64 window;		/* cycles for which that holds; 0: ask now */
};

DECLARE_PER_CPU(struct tcphs_clock, tcphs_clocks);

extern u64 tcphs_clock_rate;	/* ns per cycle << 32 */

u64 __cold tcphs_clock_ask(void);
void tcphs_clock_init(void);

/**
 * tcphs_clock_ns() - the time
 *
 * Context: interrupts off. Return: ns, CLOCK_MONOTONIC.
 */
static __always_inline u64 tcphs_clock_ns(void)
{
#ifdef CONFIG_X86_64
	/* As in sched_clock(): not ordered, which may be off by some 10 ns. */
	u64 passed = rdtsc() - __this_cpu_read(tcphs_clocks.cycles);

	if (likely(passed < __this_cpu_read(tcphs_clocks.window)))
		return __this_cpu_read(tcphs_clocks.ns) +
		       (passed * tcphs_clock_rate >> 32);
#endif
	return tcphs_clock_ask();
}

#endif /* _TCPHS_CLOCK_H */
