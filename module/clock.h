/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CLOCK_MONOTONIC at the cost of a time stamp counter.
 *
 * ktime_get() is a quarter of what a record costs. A CPU asks it once in
 * TCPHS_CLOCK_WINDOW_US and adds what the counter has gone on since, at a rate a
 * little below the true one. So the time is never ahead of CLOCK_MONOTONIC, never
 * steps back on a CPU, and is behind by less than 0.2 us: as long as NTP corrects the
 * clock's rate, by 500 ppm at most. While it works an offset off (adjtimex() with
 * ADJ_OFFSET or ADJ_TICK, 10 % at most) all that may be 10 us.
 */
#ifndef _TCPHS_CLOCK_H
#define _TCPHS_CLOCK_H

#include <linux/ktime.h>
#include <linux/types.h>
#ifdef CONFIG_X86_64
#include <asm/msr.h>
#endif

#define TCPHS_CLOCK_WINDOW_US	100

/* Turns a reading of the counter into one that no other comes shortly after. */
#define TCPHS_CLOCK_NEVER	(1ULL << 63)

/*
 * Of one CPU, which alone uses it: with interrupts off, or softirqs where no other
 * writer can begin in an interrupt.
 */
struct tcphs_clock {
	u64 cycles;		/* the counter, when ktime_get() was asked */
	u64 ns;			/* what it said */
};

extern u64 tcphs_clock_rate;	/* ns per cycle << 32 */
extern u64 tcphs_clock_window;	/* cycles for which an answer holds; not 0 */

u64 tcphs_clock_ask(struct tcphs_clock *clock);
void tcphs_clock_init(void);

/**
 * tcphs_clock_passed() - time since ktime_get() was asked
 * @cycles: of this CPU's clock
 *
 * Context: as tcphs_ring_commit(). Return: cycles; not below tcphs_clock_window
 * where it must be asked again.
 */
static __always_inline u64 tcphs_clock_passed(u64 cycles)
{
#ifdef CONFIG_X86_64
	/* As in sched_clock(): not ordered, which may be off by some 10 ns. */
	return rdtsc() - cycles;
#else
	return U64_MAX;
#endif
}

/** tcphs_clock_ns() - Return: the time, passed cycles after it was ns */
static __always_inline u64 tcphs_clock_ns(u64 ns, u64 passed)
{
	return ns + (passed * tcphs_clock_rate >> 32);
}

#endif /* _TCPHS_CLOCK_H */
