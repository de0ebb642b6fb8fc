/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring: one per CPU, fixed slots, the newest record overwrites the oldest.
 *
 * It knows nothing of TCP. Writers are task and softirq context (hard
 * interrupts and NMIs never write); a writer owns its CPU's ring for as long as
 * softirqs cannot begin, nor another task, so no writer ever waits for another.
 */
#ifndef _TCPHS_RING_H
#define _TCPHS_RING_H

#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/wait.h>
#include <tcphs.h>

#include "clock.h"
#include "compat.h"
#include "name.h"

/* Readers are woken at most once in this time, for a batch of records. */
#define TCPHS_RING_WAKE_MS	10

/*
 * reserved and committed differ only while a record is being written. Both
 * count records from 0 and never wrap; only the owning CPU writes them.
 */
struct tcphs_ring {
	u64 reserved;
	u64 committed;
	struct tcphs_record *slot;
	u64 mask;			/* slots - 1 */
	struct tcphs_clock clock;
	u64 filtered;			/* kept out by the filter */
	u64 kinds[TCPHS_ACCEPT + 1];	/* of TCPHS_SEGMENT: the rest */
};

DECLARE_PER_CPU(struct tcphs_ring, tcphs_rings);

extern u64 tcphs_ring_records;		/* per CPU */
/*
 * As tcphs_clock_window; 0 while a reader sleeps. So one test, of how long ago the
 * clock was asked, finds both.
 */
extern u64 tcphs_ring_window;

u64 TCPHS_RARE tcphs_ring_stamp(u64 passed, u64 unused, u64 unused2);

/*
 * Only a build for tests defines TCPHS_RING_POISON, a byte: what a writer does
 * not fill then stands in the record, and cannot be by chance what was expected.
 */
static __always_inline void tcphs_ring_poison(struct tcphs_record *record)
{
#ifdef TCPHS_RING_POISON
	memset(record, TCPHS_RING_POISON, sizeof(*record));
#endif
}

/* A record being written. */
struct tcphs_write {
	unsigned long flags;		/* interrupt state, unless alone */
};

/**
 * tcphs_ring_alone() - can none but the caller write to this CPU's ring?
 *
 * With softirqs off none begins, and no other task gets the CPU. It is for the
 * caller to ask, since what is known of it costs nothing. Not so on PREEMPT_RT,
 * where softirqs can be preempted.
 */
static __always_inline bool tcphs_ring_alone(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) && in_softirq();
}

/**
 * tcphs_ring_begin() - reserve the CPU's next slot
 * @w: for tcphs_ring_commit()
 * @kind: TCPHS_TRANSITION ...
 * @alone: a constant: true only if tcphs_ring_alone() said so
 *
 * Context: task or softirq; unless alone, interrupts are off until
 * tcphs_ring_commit().
 * Return: the slot, of which the caller fills every byte but ts, n, cpu, kind and
 * what tcphs_seal_copy() clears.
 */
static __always_inline struct tcphs_record *
tcphs_ring_begin(struct tcphs_write *w, u8 kind, bool alone)
{
	struct tcphs_record *record;

	if (!alone)
		local_irq_save(w->flags);
	__this_cpu_inc(tcphs_rings.reserved);
	/*
	 * A reader that sees any byte of the new record must see that the slot
	 * is taken: pairs with smp_rmb() in tcphs_seal_overtaken().
	 */
	smp_wmb();
	record = tcphs_compat_own(struct tcphs_record *, tcphs_rings.slot) +
		 (tcphs_compat_own(u64, tcphs_rings.committed) &
		  tcphs_compat_own(u64, tcphs_rings.mask));
	tcphs_ring_poison(record);
	if (kind != TCPHS_SEGMENT)
		__this_cpu_inc(tcphs_rings.kinds[kind]);
	/* One store, with the flags that follow; cpu is the reader's to say. */
	record->cpu = 0;
	record->kind = kind;
	return record;
}

/**
 * tcphs_ring_commit() - stamp the slot that tcphs_ring_begin() gave, publish it
 * @w: as left by tcphs_ring_begin()
 * @record: as given by it
 * @alone: as given to it
 *
 * The time is asked last, when least else is to be remembered.
 */
static __always_inline void tcphs_ring_commit(const struct tcphs_write *w,
					      struct tcphs_record *record, bool alone)
{
	u64 passed;

	barrier(); /* or what follows is begun before, and takes registers */
	passed = tcphs_clock_passed(tcphs_compat_own(u64, tcphs_rings.clock.cycles));
	/* A race: whichever value it has, the call or the next writer's is right. */
	if (likely(passed < data_race(tcphs_ring_window)))
		record->ts = tcphs_clock_ns(tcphs_compat_own(u64, tcphs_rings.clock.ns),
					    passed);
	else
		record->ts = tcphs_compat_rare(tcphs_ring_stamp, passed, 0, 0);
	/* Pairs with smp_load_acquire() in tcphs_ring_settle(). */
	smp_wmb();
	__this_cpu_inc(tcphs_rings.committed);
	if (!alone)
		local_irq_restore(w->flags);
}

/* One reader's place in all rings. */
struct tcphs_cursor {
	u64 horizon;			/* deliver nothing younger (ns) */
	unsigned int best;		/* CPU whose record is next ... */
	u64 rival;			/* ... as long as it is older than this */
	struct tcphs_names names;	/* of the sockets it was told of */
	u64 told;			/* by tcphs_ring_limit(): the last ts */
	struct tcphs_cursor_cpu {
		u64 next;		/* record number */
		u64 limit;		/* settled up to here */
		u64 ts;			/* of record next; U64_MAX: none */
		u64 last;		/* ts of the last one read */
		u64 lost;		/* gap before next, not yet told: */
		u64 until;		/* ... ts of next; `ts` is 0 meanwhile */
		u64 number;		/* by tcphs_ring_limit(): of ... */
		u64 told;		/* ... the last record told, and its ts */
	} cpu[];
};

struct tcphs_cursor *tcphs_ring_open(void);
void tcphs_ring_settle(struct tcphs_cursor *cursor, u64 until);
bool tcphs_ring_next(struct tcphs_cursor *cursor, struct tcphs_record *record);
size_t tcphs_ring_give(struct tcphs_cursor *cursor,
		       struct tcphs_record __user *buffer, size_t room);
void tcphs_ring_limit(struct tcphs_cursor *cursor, struct tcphs_record *record);
bool tcphs_ring_pending(const struct tcphs_cursor *cursor);
u64 tcphs_ring_held(void);
u64 tcphs_ring_complete(void);

struct wait_queue_head *tcphs_ring_waitqueue(void);
void tcphs_ring_wait(void);
void tcphs_ring_again(void);
bool tcphs_ring_closing(void);

int tcphs_ring_init(unsigned int kb);
void tcphs_ring_close(void);
void tcphs_ring_exit(void);

#endif /* _TCPHS_RING_H */
