// SPDX-License-Identifier: GPL-2.0
/* The clock of the records: see clock.h. */
#include <linux/irqflags.h>
#include <linux/math64.h>

#include "clock.h"

u64 tcphs_clock_rate __ro_after_init;
u64 tcphs_clock_window __ro_after_init = 1;

#ifdef CONFIG_X86_64
#include <asm/tsc.h>

/*
 * Below the true rate by 1/1024, more than the 500 ppm by which NTP may slow
 * CLOCK_MONOTONIC down.
 */
#define LAG_SHIFT	10

/*
 * Asks ktime_get() and remembers. If the machine was away between the two
 * readings of the counter (a hypervisor may take it at any time) the pair is of
 * no use. A counter that the kernel does not trust is not used.
 */
u64 tcphs_clock_ask(struct tcphs_clock *clock)
{
	unsigned long flags;
	u64 before;

	local_irq_save(flags);
	before = rdtsc_ordered();
	clock->ns = ktime_get_ns();
	clock->cycles = rdtsc_ordered();
	local_irq_restore(flags);
	if (clock->cycles - before >= tcphs_clock_window >> 6 ||
	    check_tsc_unstable())
		clock->cycles ^= TCPHS_CLOCK_NEVER;
	return clock->ns;
}

void __init tcphs_clock_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_TSC) || !tsc_khz)
		return;
	tcphs_clock_window = div_u64((u64)tsc_khz * TCPHS_CLOCK_WINDOW_US, 1000);
	tcphs_clock_rate = div_u64((u64)NSEC_PER_MSEC << 32, tsc_khz);
	tcphs_clock_rate -= tcphs_clock_rate >> LAG_SHIFT;
}
#else
u64 tcphs_clock_ask(struct tcphs_clock *clock)
{
	return ktime_get_ns();
}

void __init tcphs_clock_init(void)
{
}
#endif
