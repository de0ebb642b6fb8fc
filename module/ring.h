/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring: one per CPU, fixed slots, the newest record overwrites the oldest.
 *
 * It knows nothing of TCP. Writers are task and softirq context (hard
 * interrupts and NMIs never write); a writer owns its CPU's ring for as long as
 * it keeps interrupts off, so no writer ever waits for another.
 */
#ifndef _TCPHS_RING_H
#define _TCPHS_RING_H

#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/wait.h>
#include <tcphs.h>

#include "clock.h"
#include "compat.h"
#include "record.h"

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
	unsigned long flags;		/* interrupt state */
};

/**
 * tcphs_ring_begin() - reserve the CPU's next slot and stamp it
 * @w: for tcphs_ring_commit()
 * @kind: TCPHS_TRANSITION ...
 *
 * Context: task or softirq; interrupts are off until tcphs_ring_commit().
 * Return: the slot, of which the caller fills every byte but ts, n, cpu, kind and
 * what tcphs_seal_copy() clears.
 */
static __always_inline struct tcphs_record *
tcphs_ring_begin(struct tcphs_write *w, u8 kind)
{
	struct tcphs_record *record;
	struct tcphs_ring *ring;
	u64 passed;

	local_irq_save(w->flags);
	__this_cpu_inc(tcphs_rings.reserved);
	/*
	 * A reader that sees any byte of the new record must see that the slot
	 * is taken: pairs with smp_rmb() in tcphs_seal_overtaken().
	 */
	smp_wmb();
	ring = this_cpu_ptr(&tcphs_rings);
	record = ring->slot + (ring->committed & ring->mask);
	tcphs_ring_poison(record);
	if (kind != TCPHS_SEGMENT)
		__this_cpu_inc(tcphs_rings.kinds[kind]);
	passed = tcphs_clock_passed(&ring->clock);
	if (likely(passed < READ_ONCE(tcphs_ring_window)))
		record->ts = tcphs_clock_ns(&ring->clock, passed);
	else
		record->ts = tcphs_compat_rare(tcphs_ring_stamp, passed, 0, 0);
	/* One store, with the flags that follow; cpu is the reader's to say. */
	record->cpu = 0;
	record->kind = kind;
	return record;
}

/**
 * tcphs_ring_commit() - publish the slot that tcphs_ring_begin() gave
 * @w: as left by tcphs_ring_begin()
 */
static __always_inline void tcphs_ring_commit(const struct tcphs_write *w)
{
	/* Pairs with smp_load_acquire() in tcphs_ring_settle(). */
	smp_wmb();
	__this_cpu_inc(tcphs_rings.committed);
	local_irq_restore(w->flags);
}

/* One reader's place in all rings. */
struct tcphs_cursor {
	u64 horizon;			/* deliver nothing younger (ns) */
	unsigned int best;		/* CPU whose record is next ... */
	u64 rival;			/* ... as long as it is older than this */
	struct tcphs_names names;	/* of the sockets it was told of */
	unsigned int cpus;
	struct tcphs_cursor_cpu {
		u64 next;		/* record number */
		u64 limit;		/* settled up to here */
		u64 ts;			/* of record next; U64_MAX: none */
		u64 last;		/* ts of the last one read */
		u64 lost;		/* gap before next, not yet told: */
		u64 until;		/* ... ts of next; `ts` is 0 meanwhile */
	} cpu[];
};

struct tcphs_cursor *tcphs_ring_open(void);
void tcphs_ring_settle(struct tcphs_cursor *cursor, u64 until);
bool tcphs_ring_next(struct tcphs_cursor *cursor, struct tcphs_record *record);
size_t tcphs_ring_give(struct tcphs_cursor *cursor,
		       struct tcphs_record __user *buffer, size_t room);
bool tcphs_ring_pending(const struct tcphs_cursor *cursor);
u64 tcphs_ring_held(void);
u64 tcphs_ring_complete(void);

struct wait_queue_head *tcphs_ring_waitqueue(void);
void tcphs_ring_wait(void);
bool tcphs_ring_closing(void);

int tcphs_ring_init(unsigned int kb);
void tcphs_ring_close(void);
void tcphs_ring_exit(void);

#endif /* _TCPHS_RING_H */
