// SPDX-License-Identifier: GPL-2.0
/*
 * The ring's slow side: memory, readers and waking them. See ring.h for the
 * writers.
 *
 * Readers take no lock and stop no writer: they copy what is in a slot and look
 * whether it was overwritten meanwhile. Each has its own cursor, so any number
 * may read, and reading consumes nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "identity.h"
#include "ring.h"
#include "seal.h"

/* So that a test knows what it has loaded. */
#ifdef TCPHS_RING_POISON
MODULE_INFO(poison, __stringify(TCPHS_RING_POISON));
#endif

#define RING_KB_MIN	4
#define RING_KB_MAX	(4U << 20)

/*
 * A writer reserves its slot, then reads the clock. A reader that has read the
 * clock and waited this long sees every reservation made before: the bound is
 * on how long a store stays in a store buffer, which is far less.
 */
#define SETTLE_US	2

DEFINE_PER_CPU(struct tcphs_ring, tcphs_rings);

/* The ring of a CPU for which there was no memory: it keeps the last record. */
static DEFINE_PER_CPU(struct tcphs_record, spare_slot);

u64 tcphs_ring_records __ro_after_init;
u64 tcphs_ring_window __read_mostly;

/*
 * Not in the module's own data: a process that is stopped inside poll() still
 * stands in this queue when the module goes, and the memory is left to it.
 */
static struct wait_queue_head *waitqueue;
static struct irq_work wake_irq_work;
static u64 wake_total;			/* records written at the last wake-up */
static bool closing;
static int hotplug_state;

static u64 ring_total(void)
{
	u64 total = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		total += READ_ONCE(per_cpu(tcphs_rings, cpu).reserved);
	return total;
}

/*
 * All of them: no reader stands for another, an exclusive one of epoll neither. Who
 * is told nothing of what has come (aio and io_uring would believe it) looks itself.
 */
static void readers_wake(void *key)
{
	__wake_up(waitqueue, TASK_INTERRUPTIBLE, 0, key);
}

/* Process context: tells the sleeping readers, if anything came since. */
static void wake_fn(struct work_struct *work)
{
	u64 total = ring_total();

	if (total == READ_ONCE(wake_total) && !READ_ONCE(closing))
		return;
	WRITE_ONCE(wake_total, total);
	readers_wake(NULL);
}

static DECLARE_DELAYED_WORK(wake_work, wake_fn);

/* Hard interrupt, or a thread on PREEMPT_RT: no lock of the network is held. */
static void wake_irq_fn(struct irq_work *work)
{
	schedule_delayed_work(&wake_work, msecs_to_jiffies(TCPHS_RING_WAKE_MS));
}

/**
 * tcphs_ring_stamp() - the time, where it takes more than the counter to tell
 * @passed: since the CPU's clock was asked, cycles
 * @unused: see tcphs_compat_rare(), which passes three
 * @unused2: and this
 *
 * Context: a writer, its record not committed. Where a reader
 * sleeps it has it woken soon: the writer may hold any lock of the network stack
 * or the scheduler's caller, so it only raises an irq_work. There is no barrier
 * against the reservation: a reader that this test misses is found by the check
 * that it has ordered for itself: tcphs_ring_wait().
 * Return: ns, CLOCK_MONOTONIC.
 */
u64 tcphs_ring_stamp(u64 passed, u64 unused, u64 unused2)
{
	struct tcphs_clock *clock = this_cpu_ptr(&tcphs_rings.clock);

	if (!READ_ONCE(tcphs_ring_window)) {
		WRITE_ONCE(tcphs_ring_window, tcphs_clock_window);
		irq_work_queue(&wake_irq_work);
	}
	if (passed < tcphs_clock_window)
		return tcphs_clock_ns(clock->ns, passed);
	return tcphs_clock_ask(clock);
}

/**
 * tcphs_ring_wait() - announce that the caller is about to sleep
 *
 * Context: process, after it has entered the wait queue. The caller looks for
 * records once more after this. A writer whose commit and test crossed with
 * that look is caught by the check queued here, once.
 */
void tcphs_ring_wait(void)
{
	WRITE_ONCE(tcphs_ring_window, 0);
	smp_mb(); /* the announcement before the caller's look */
	schedule_delayed_work(&wake_work, msecs_to_jiffies(TCPHS_RING_WAKE_MS));
}

/**
 * tcphs_ring_again() - have whoever waits look once more, soon
 *
 * Context: process; for a reader that could not look.
 */
void tcphs_ring_again(void)
{
	WRITE_ONCE(wake_total, U64_MAX); /* that there will never be */
	schedule_delayed_work(&wake_work, msecs_to_jiffies(TCPHS_RING_WAKE_MS));
}

struct wait_queue_head *tcphs_ring_waitqueue(void)
{
	return waitqueue;
}

/** tcphs_ring_closing() - Return: true once the module is being unloaded */
bool tcphs_ring_closing(void)
{
	return READ_ONCE(closing);
}

/** tcphs_ring_held() - Return: how many records a snapshot has at the most */
u64 tcphs_ring_held(void)
{
	u64 held = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		held += min(READ_ONCE(per_cpu(tcphs_rings, cpu).reserved),
			    tcphs_ring_records);
	return held;
}

/* True if record number n is still in its slot, or was when this is called. */
static __always_inline bool slot_valid(const struct tcphs_ring *ring, u64 n)
{
	return READ_ONCE(ring->reserved) - n <= ring->mask + 1;
}

/* A word of the slot of record n. */
static __always_inline u64 slot_word(const struct tcphs_ring *ring, u64 n,
				     unsigned int word)
{
	const u64 *slot = (const u64 *)&ring->slot[n & ring->mask];

	/* It races with a writer by design. */
	return data_race(READ_ONCE(slot[word]));
}

/*
 * The time of record n.
 * Return: false if the record was overwritten.
 */
static __always_inline bool slot_time(const struct tcphs_ring *ring, u64 n,
				      u64 *ts)
{
	*ts = slot_word(ring, n, 0);
	smp_rmb(); /* pairs with smp_wmb() in tcphs_ring_begin() */
	return slot_valid(ring, n);
}

/*
 * A gap is told at once: what happened on the other CPUs in its time has not
 * been told then, and the reader knows better than to take it for everything.
 */
static void cursor_gap(struct tcphs_cursor_cpu *at)
{
	at->until = at->ts;
	at->ts = 0;
}

/* The CPU's next record has been overtaken: goes on at the oldest that is there. */
static noinline void cursor_skip(struct tcphs_cursor_cpu *at,
				 const struct tcphs_ring *ring)
{
	u64 oldest, ahead = 0;

	do {
		/*
		 * If the writer is so fast that it overtakes even that, go on
		 * well ahead of it.
		 */
		oldest = READ_ONCE(ring->reserved) - (ring->mask + 1) + ahead;
		ahead = (ring->mask >> 4) + 1;
		at->lost += oldest - at->next;
		at->next = oldest;
		if (at->next >= at->limit) {
			at->ts = U64_MAX;
			return;
		}
	} while (!slot_time(ring, at->next, &at->ts));
	cursor_gap(at);
}

/* Looks at the time of the CPU's next record; steps over what is lost. */
static __always_inline void cursor_peek(struct tcphs_cursor_cpu *at,
					const struct tcphs_ring *ring)
{
	if (at->next >= at->limit)
		at->ts = U64_MAX;
	else if (!slot_time(ring, at->next, &at->ts))
		cursor_skip(at, ring);
}

/* Whose record is the oldest, and for how long? */
static noinline void cursor_choose(struct tcphs_cursor *cursor)
{
	unsigned int best = nr_cpu_ids;
	u64 ts, first = U64_MAX;
	int cpu;

	cursor->rival = U64_MAX;
	for_each_possible_cpu(cpu) {
		ts = cursor->cpu[cpu].ts;
		if (best == nr_cpu_ids || ts < first) {
			cursor->rival = first;
			first = ts;
			best = cpu;
		} else if (ts < cursor->rival) {
			cursor->rival = ts;
		}
	}
	cursor->best = best;
}

/**
 * tcphs_ring_complete() - since when is nothing overwritten on any CPU?
 *
 * Context: process. Return: time stamp (ns); 0 since the rings are there.
 */
u64 tcphs_ring_complete(void)
{
	const struct tcphs_ring *ring;
	u64 complete = 0, oldest, ts;
	int cpu;

	for_each_possible_cpu(cpu) {
		ring = per_cpu_ptr(&tcphs_rings, cpu);
		oldest = READ_ONCE(ring->reserved);
		if (oldest <= ring->mask + 1)
			continue;
		oldest -= ring->mask + 1;
		/* A writer may just overtake it: then well ahead of that. */
		if (!slot_time(ring, oldest, &ts) &&
		    !slot_time(ring, oldest + (ring->mask >> 4), &ts))
			ts = ktime_get_ns();
		complete = max(complete, ts);
	}
	return complete;
}

/**
 * tcphs_ring_open() - a cursor at the oldest record of every CPU
 *
 * Context: process, may sleep. Free it with kvfree().
 * Return: NULL without memory.
 */
struct tcphs_cursor *tcphs_ring_open(void)
{
	struct tcphs_cursor *cursor;
	int cpu;

	cursor = kvzalloc(struct_size(cursor, cpu, nr_cpu_ids),
			  GFP_KERNEL_ACCOUNT);
	if (!cursor)
		return NULL;
	for_each_possible_cpu(cpu)
		cursor->cpu[cpu].ts = U64_MAX;
	return cursor;
}

/**
 * tcphs_ring_settle() - fix up to where tcphs_ring_next() may go
 * @cursor: of this reader
 * @until: no record younger than this (ns); U64_MAX: all there are now
 *
 * Until then every record is complete and none older can turn up on another
 * CPU, so they can be merged in time order.
 *
 * Context: process. Waits for writers that are just writing (well under a
 * microsecond, with none but hard interrupts between).
 */
void tcphs_ring_settle(struct tcphs_cursor *cursor, u64 until)
{
	const struct tcphs_ring *ring;
	u64 reserved;
	int cpu;

	cursor->horizon = min_t(u64, ktime_get_ns(), until);
	udelay(SETTLE_US);
	for_each_possible_cpu(cpu) {
		ring = per_cpu_ptr(&tcphs_rings, cpu);
		reserved = READ_ONCE(ring->reserved);
		/* Pairs with smp_wmb() in tcphs_ring_commit(). */
		while (smp_load_acquire(&ring->committed) < reserved)
			cpu_relax();
		cursor->cpu[cpu].limit = max(reserved, cursor->cpu[cpu].next);
		cursor_peek(&cursor->cpu[cpu], ring);
		/* Found before, when there was nothing to read behind it. */
		if (cursor->cpu[cpu].lost && cursor->cpu[cpu].ts &&
		    cursor->cpu[cpu].ts != U64_MAX)
			cursor_gap(&cursor->cpu[cpu]);
	}
	cursor_choose(cursor);
}

/* Where it begins, and not before what has been told: the order is kept. */
static u64 gap_begin(const struct tcphs_cursor *cursor)
{
	u64 begin = tcphs_identity_loaded();
	int cpu;

	for_each_possible_cpu(cpu)
		begin = max(begin, cursor->cpu[cpu].last);
	return begin;
}

/* The gap is told and behind it. */
static void lost_fill(struct tcphs_record *record, u64 ts,
		      struct tcphs_cursor_cpu *at)
{
	memset(record, 0, sizeof(*record));
	record->kind = TCPHS_LOST;
	record->ts = ts;
	record->n = at->next - at->lost;
	record->lost.count = at->lost;
	record->lost.since = at->last;
	record->lost.until = at->until;
	at->lost = 0;
	at->ts = at->until;
}

/* Whose record is next? Return: NULL when there is none up to the horizon. */
static struct tcphs_cursor_cpu *cursor_next(struct tcphs_cursor *cursor)
{
	struct tcphs_cursor_cpu *at = &cursor->cpu[cursor->best];

	if (at->ts >= cursor->rival) {
		cursor_choose(cursor);
		at = &cursor->cpu[cursor->best];
	}
	return at->ts == U64_MAX || at->ts > cursor->horizon ? NULL : at;
}

static __always_inline struct tcphs_seal_slot
slot_of(const struct tcphs_ring *ring, const struct tcphs_cursor_cpu *at,
	unsigned int cpu)
{
	return (struct tcphs_seal_slot){
		.word = (const u64 *)&ring->slot[at->next & ring->mask],
		.reserved = &ring->reserved,
		.slots = ring->mask + 1,
		.n = at->next,
		.ts = at->ts,
		.cpu = cpu,
	};
}

/**
 * tcphs_ring_next() - the oldest record that this reader has not seen
 * @cursor: settled
 * @record: filled; a TCPHS_LOST record where some were overwritten
 *
 * Return: false when there is none up to the horizon.
 */
bool tcphs_ring_next(struct tcphs_cursor *cursor, struct tcphs_record *record)
{
	const struct tcphs_ring *ring;
	struct tcphs_cursor_cpu *at;
	struct tcphs_seal_slot slot;

	for (;;) {
		at = cursor_next(cursor);
		if (!at)
			return false;
		if (at->lost) {
			lost_fill(record, gap_begin(cursor), at);
			record->cpu = cursor->best;
			return true;
		}
		ring = per_cpu_ptr(&tcphs_rings, cursor->best);
		slot = slot_of(ring, at, cursor->best);
		if (tcphs_seal_copy(&slot, &cursor->names, (u64 *)record, NULL,
				    true) == TCPHS_SEAL_DONE)
			break;
		cursor_skip(at, ring);
	}
	at->next++;
	at->last = at->ts;
	cursor_peek(at, ring);
	return true;
}

/* Others' times are told no more exactly than a reader that sleeps learns them. */
#define COARSE_NS	(TCPHS_RING_WAKE_MS * NSEC_PER_MSEC)

/*
 * A gap, for who sees one netns alone: it begins where this reader was told of
 * something last, and how much was lost of others is not told.
 */
static void lost_limit(const struct tcphs_cursor *cursor,
		       const struct tcphs_cursor_cpu *at,
		       struct tcphs_record *record)
{
	u64 until = min(roundup(record->lost.until, COARSE_NS), cursor->horizon);

	record->flags |= TCPHS_SOME;
	record->ts = max(cursor->told, tcphs_identity_loaded());
	record->lost.count = 1;
	record->lost.since = at->told;
	record->lost.until = max(until, record->ts);
}

/**
 * tcphs_ring_limit() - a record, for a reader that sees one netns alone
 * @cursor: of this reader
 * @record: that tcphs_ring_next() gave, and that it may see
 *
 * A CPU's numbers count the records of all network namespaces. Who sees one alone
 * could learn from them, to the record, what others receive, and so whether a
 * segment that somebody forges is within the window of a connection of theirs
 * (RFC 5961, 3.2: it is answered then). Such a reader has numbers that count what it
 * is told, from the time of the first one on, so that two of them have hardly the
 * same number for two records. A gap takes one.
 */
void tcphs_ring_limit(struct tcphs_cursor *cursor, struct tcphs_record *record)
{
	struct tcphs_cursor_cpu *at = &cursor->cpu[record->cpu];

	if (at->number)
		at->number++;
	else if (record->kind != TCPHS_LOST)
		at->number = record->ts;
	record->n = at->number;
	if (record->kind == TCPHS_LOST) {
		lost_limit(cursor, at, record);
		return;
	}
	at->told = record->ts;
	cursor->told = max(cursor->told, record->ts);
}

/* So many records at a time, before others may run. */
#define RUN_RECORDS	64

/*
 * Records of the CPU whose turn it is, for as long as it is: of the `count` ones
 * that there is room for. Between user_access_begin() and user_access_end().
 * Return: why it stopped; the cursor is behind what was given.
 */
static __always_inline enum tcphs_seal
run_give(struct tcphs_cursor *cursor, struct tcphs_cursor_cpu *at,
	 const struct tcphs_ring *ring, u64 __user *to, size_t count)
{
	const u64 until = min(cursor->rival, cursor->horizon + 1);
	const unsigned int cpu = cursor->best;
	enum tcphs_seal result;
	struct tcphs_seal_slot slot;

	do {
		slot = slot_of(ring, at, cpu);
		result = tcphs_seal_copy(&slot, &cursor->names, NULL, to, false);
		if (result != TCPHS_SEAL_DONE)
			break;
		to += TCPHS_SEAL_WORDS;
		at->last = at->ts;
		if (++at->next >= at->limit) {
			at->ts = U64_MAX;
			break;
		}
		if (!slot_time(ring, at->next, &at->ts))
			return TCPHS_SEAL_OVERTAKEN;
	} while (--count && at->ts < until);
	return result;
}

static void name_make(struct tcphs_names *names, u64 address)
{
	u64 name;

	if (!tcphs_name_find(names, address, &name))
		tcphs_name_make(names, address);
}

/* The names that the CPU's next record asks for: its socket's, its listener's. */
static noinline void names_make(struct tcphs_names *names,
				const struct tcphs_cursor_cpu *at,
				const struct tcphs_ring *ring)
{
	unsigned int kind = slot_word(ring, at->next, 3) >> 48 & 0xff;
	unsigned int via = slot_word(ring, at->next, 8) >> 48 & 0xff;

	name_make(names, slot_word(ring, at->next, 2));
	if (kind == TCPHS_TRANSITION && via == TCPHS_VIA_REQUEST)
		name_make(names, slot_word(ring, at->next, 13));
}

/**
 * tcphs_ring_give() - the oldest records that this reader has not seen
 * @cursor: settled
 * @buffer: of a user
 * @room: for so many
 *
 * What it leaves, tcphs_ring_next() has: a gap, and what cannot be written.
 *
 * Context: process, may sleep.
 * Return: how many there are in the buffer.
 */
size_t tcphs_ring_give(struct tcphs_cursor *cursor,
		       struct tcphs_record __user *buffer, size_t room)
{
	const struct tcphs_ring *ring;
	struct tcphs_cursor_cpu *at;
	enum tcphs_seal result;
	size_t given = 0, count;
	u64 named = U64_MAX, next;

	while (given < room) {
		at = cursor_next(cursor);
		if (!at || at->lost)
			break;
		next = at->next;
		ring = per_cpu_ptr(&tcphs_rings, cursor->best);
		count = min_t(size_t, room - given, RUN_RECORDS);
		if (!user_access_begin(buffer + given,
				       count * TCPHS_RECORD_SIZE))
			break;
		result = run_give(cursor, at, ring,
				  (u64 __user *)(buffer + given), count);
		user_access_end();
		given += at->next - next;
		if (result == TCPHS_SEAL_FAULT)
			break;
		if (result == TCPHS_SEAL_OVERTAKEN)
			cursor_skip(at, ring);
		if (result == TCPHS_SEAL_NAMELESS) {
			/* Two names for which there is one place. */
			if (named == at->next)
				break;
			named = at->next;
			names_make(&cursor->names, at, ring);
		}
		cond_resched();
	}
	return given;
}

/** tcphs_ring_pending() - Return: true if there is anything to read */
bool tcphs_ring_pending(const struct tcphs_cursor *cursor)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(per_cpu(tcphs_rings, cpu).reserved) !=
		    cursor->cpu[cpu].next)
			return true;
	return false;
}

/*
 * A CPU comes up, at load or later: it does not write yet. Its ring stays when it
 * goes down again; one that has records is never changed.
 */
static int ring_prepare(unsigned int cpu)
{
	struct tcphs_ring *ring = per_cpu_ptr(&tcphs_rings, cpu);
	struct tcphs_record *slot;

	if (ring->mask || ring->reserved)
		return 0;
	/* Others are not to be killed for it. */
	slot = __vmalloc(tcphs_ring_records * sizeof(*slot),
			 GFP_KERNEL | __GFP_NORETRY | __GFP_ZERO | __GFP_NOWARN);
	if (!slot)
		return -ENOMEM;
	ring->slot = slot;
	ring->mask = tcphs_ring_records - 1;
	return 0;
}

/* At load a missing ring is an error; later it must not keep a CPU down. */
static int ring_online(unsigned int cpu)
{
	if (ring_prepare(cpu))
		pr_warn("no memory for the ring of CPU %u: its records but the last are lost, and counted\n",
			cpu);
	return 0;
}

/*
 * Rings for the CPUs that are up, and from here on for those that come. That
 * cpuhp_setup_state() does both at once is not so in 5.10: in the dynamic range of
 * the prepare stage it does not call for those that are up.
 * Return: the state's number; -ENOMEM, or why there is none.
 */
static int rings_prepare(void)
{
	int err = 0, cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		err = ring_prepare(cpu);
		if (err)
			break;
	}
	if (!err)
		err = cpuhp_setup_state_nocalls_cpuslocked(CPUHP_BP_PREPARE_DYN,
							   "tcphs:ring",
							   ring_online, NULL);
	cpus_read_unlock();
	return err;
}

static void rings_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (per_cpu(tcphs_rings, cpu).mask)
			vfree(per_cpu(tcphs_rings, cpu).slot);
}

/* Before there is memory for it. */
static void ring_reset(int cpu)
{
	struct tcphs_ring *ring = per_cpu_ptr(&tcphs_rings, cpu);

	ring->slot = per_cpu_ptr(&spare_slot, cpu);
	ring->clock.cycles = TCPHS_CLOCK_NEVER;
}

/*
 * Is there memory for so many KiB on each CPU that is up? What is free only because
 * others were killed for it does not count.
 */
static int fits(unsigned int kb)
{
	u64 wanted = (u64)kb * num_online_cpus() >> (PAGE_SHIFT - 10);
	const char *than;

	if (wanted > totalram_pages() / 2)
		than = "half of the memory";
	else if ((s64)wanted > si_mem_available())
		than = "the memory that is available";
	else
		return 0;
	pr_err("ring_kb=%u: %llu KiB for %u CPUs is more than %s; use a smaller ring_kb\n",
	       kb, (u64)kb * num_online_cpus(), num_online_cpus(), than);
	return -ENOMEM;
}

/**
 * tcphs_ring_init() - make a ring for every CPU that is up
 * @kb: KiB per CPU; rounded up to a power of two, and to 4 at least
 *
 * Return: 0; -EINVAL for a size that makes no sense, -ENOMEM for one that does
 * not fit, or what the kernel refused; explained in the kernel log.
 */
int tcphs_ring_init(unsigned int kb)
{
	unsigned int rounded;
	int err, cpu;

	if (!kb || kb > RING_KB_MAX) {
		pr_err("ring_kb=%u: must be from 1 to %u (KiB per CPU)\n", kb,
		       RING_KB_MAX);
		return -EINVAL;
	}
	rounded = roundup_pow_of_two(max_t(unsigned int, kb, RING_KB_MIN));
	if (rounded != kb)
		pr_notice("ring_kb=%u: rounded up to %u\n", kb, rounded);
	err = fits(rounded);
	if (err)
		return err;
	tcphs_ring_records = ((u64)rounded << 10) / TCPHS_RECORD_SIZE;
	for_each_possible_cpu(cpu)
		ring_reset(cpu);

	tcphs_ring_window = tcphs_clock_window;

	waitqueue = kmalloc(sizeof(*waitqueue), GFP_KERNEL);
	if (!waitqueue)
		return -ENOMEM;
	init_waitqueue_head(waitqueue);
	init_irq_work(&wake_irq_work, wake_irq_fn);

	err = rings_prepare();
	if (err < 0) {
		if (err == -ENOMEM)
			pr_err("no memory for %u KiB per CPU; use a smaller ring_kb\n",
			       rounded);
		else
			pr_err("cannot follow CPUs that come up (error %d)\n", err);
		goto err_free;
	}
	hotplug_state = err;
	return 0;

err_free:
	rings_free();
	kfree(waitqueue);
	return err;
}

/**
 * tcphs_ring_close() - end of file for the readers; no writer is left
 *
 * Context: process, may sleep. Wakes whoever sleeps in read() or poll().
 */
void tcphs_ring_close(void)
{
	WRITE_ONCE(closing, true);
	readers_wake(poll_to_key(EPOLLIN | EPOLLHUP));
}

/* Nobody can join any more: what is seen here can only get less. */
static bool queue_busy(void)
{
	bool busy;

	spin_lock_irq(&waitqueue->lock);
	busy = !list_empty(&waitqueue->head);
	spin_unlock_irq(&waitqueue->lock);
	return busy;
}

/*
 * The files are gone, but a process may still stand in the wait queue: one
 * that was woken and has not run yet, one that is stopped, or an epoll set that
 * keeps its entry for as long as the file is open.
 */
static void waitqueue_free(void)
{
	int tries;

	/* epoll lets go of the queue when told POLLFREE. */
	__wake_up(waitqueue, TASK_NORMAL, 0, poll_to_key(EPOLLHUP | POLLFREE));
	for (tries = 0; tries < 50 && queue_busy(); tries++) {
		wake_up_poll(waitqueue, EPOLLIN | EPOLLHUP);
		msleep(20);
	}
	if (queue_busy()) {
		pr_notice("a stopped process still waits for records: %zu bytes are left to it\n",
			  sizeof(*waitqueue));
		return;
	}
	/* epoll's part of POLLFREE looks at the queue under RCU. */
	synchronize_rcu();
	kfree(waitqueue);
}

/** tcphs_ring_exit() - free all; no writer, reader or open file is left */
void tcphs_ring_exit(void)
{
	cpuhp_remove_state_nocalls(hotplug_state);
	irq_work_sync(&wake_irq_work);
	cancel_delayed_work_sync(&wake_work);
	waitqueue_free();
	rings_free();
}
