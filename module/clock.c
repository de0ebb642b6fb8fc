// SPDX-License-Identifier: GPL-2.0
/* The clock of the records: see clock.h. */
#include <linux/math64.h>

#include "clock.h"

DEFINE_PER_CPU(struct tcphs_clock, tcphs_clocks);
u64 tcphs_clock_rate __ro_after_init;

#ifdef CONFIG_X86_64
#include <asm/tsc.h>

/*
 * Below the true rate by 1/1024, more than the 500 ppm by which NTP may slow
 * CLOCK_MONOTONIC down.
 */
#define LAG_SHIFT	10

static u64 window __ro_after_init;

/*
 * Asks ktime_get() and remembers. If the machine was away between the two
 * readings of the counter (a hypervisor may take it at any time) the pair is of
 * no use. A counter that the kernel does not trust is not used.
 */
u64 tcphs_clock_ask(void)
{
	struct tcphs_clock *clock = this_cpu_ptr(&tcphs_clocks);
	u64 before = rdtsc_ordered();

	clock->ns = ktime_get_ns();
	clock->cycles = rdtsc_ordered();
	clock->window = clock->cycles - before < window >> 6 &&
			!check_tsc_unstable() ? window : 0;
	return clock->ns;
}

void __init tcphs_clock_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_TSC) || !tsc_khz)
		return;
	window = div_u64((u64)tsc_khz * TCPHS_CLOCK_WINDOW_US, 1000);
	tcphs_clock_rate = div_u64((u64)NSEC_PER_MSEC << 32, tsc_khz);
	tcphs_clock_rate -= tcphs_clock_rate >> LAG_SHIFT;
}
#else
u64 tcphs_clock_ask(void)
{
	return ktime_get_ns();
}

void __init tcphs_clock_init(void)
{
}
#endif
