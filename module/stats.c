// SPDX-License-Identifier: GPL-2.0
/* /proc/tcphs/stats: `name value` lines. */
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "filter.h"
#include "proc.h"
#include "ring.h"
#include "segment.h"
#include "tracepoint.h"
#include "watch.h"

static const char * const kind_names[] = {
	[TCPHS_TRANSITION] = "transitions",
	[TCPHS_SEGMENT] = "segments",
	[TCPHS_RESET] = "resets",
	[TCPHS_DESTROY] = "destroys",
	[TCPHS_ACCEPT] = "accepts",
};

static const char * const mode_names[] = {
	[TCPHS_SEGMENTS_NONE] = "none",
	[TCPHS_SEGMENTS_HANDSHAKE] = "handshake",
	[TCPHS_SEGMENTS_ALL] = "all",
};

static const struct {
	u32 bit;
	const char *what;
} missing_names[] = {
	{ TCPHS_MISSING_SEND_RESET, "resets_sent" },
	{ TCPHS_MISSING_RECEIVE_RESET, "resets_received" },
	{ TCPHS_MISSING_DESTROY, "socket_end" },
	{ TCPHS_MISSING_TIMEWAIT_END, "timewait_end" },
	{ TCPHS_MISSING_RESET_REASON, "reset_reason" },
	{ TCPHS_MISSING_ACCEPT, "accept" },
	{ TCPHS_MISSING_REQUEST_END, "request_end" },
};

static u64 overwritten(const struct tcphs_ring *ring)
{
	u64 written = READ_ONCE(ring->committed);

	return written > ring->mask ? written - ring->mask - 1 : 0;
}

/*
 * Adds what a CPU has written, and how much of each kind. Segments are not counted,
 * they are what is left: so all must be of one moment, at which nothing is being
 * written. If the CPU does not stop for long enough, one record is in doubt.
 * Return: all.
 */
static u64 kinds_add(u64 *kinds, const struct tcphs_ring *ring)
{
	u64 seen[ARRAY_SIZE(kind_names)], written, others;
	unsigned int i, tries = 0;

	do {
		/* Pairs with smp_wmb() in tcphs_ring_commit(). */
		written = smp_load_acquire(&ring->committed);
		others = 0;
		for (i = 0; i < ARRAY_SIZE(seen); i++) {
			seen[i] = READ_ONCE(ring->kinds[i]);
			others += seen[i];
		}
		smp_rmb(); /* the kinds before the reservations */
	} while (READ_ONCE(ring->reserved) != written && ++tries < 1000);
	seen[TCPHS_SEGMENT] = written - min(others, written);
	for (i = 0; i < ARRAY_SIZE(seen); i++)
		kinds[i] += seen[i];
	return written;
}

static void counters_show(struct seq_file *seq)
{
	u64 written = 0, lost = 0, filtered = 0;
	u64 kinds[ARRAY_SIZE(kind_names)] = {};
	const struct tcphs_ring *ring;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		ring = per_cpu_ptr(&tcphs_rings, cpu);
		written += kinds_add(kinds, ring);
		lost += overwritten(ring);
		filtered += READ_ONCE(ring->filtered);
	}
	seq_printf(seq, "records_written %llu\n", written);
	seq_printf(seq, "records_overwritten %llu\n", lost);
	seq_printf(seq, "records_filtered %llu\n", filtered);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kind_names[i])
			seq_printf(seq, "%s %llu\n", kind_names[i], kinds[i]);
	for_each_possible_cpu(cpu) {
		ring = per_cpu_ptr(&tcphs_rings, cpu);
		/* One that has gone has left what is counted above. */
		if (!cpu_online(cpu) && !READ_ONCE(ring->reserved) &&
		    !READ_ONCE(ring->filtered))
			continue;
		seq_printf(seq, "cpu%d_written %llu\n", cpu,
			   READ_ONCE(ring->committed));
		seq_printf(seq, "cpu%d_overwritten %llu\n", cpu,
			   overwritten(ring));
		seq_printf(seq, "cpu%d_filtered %llu\n", cpu,
			   READ_ONCE(ring->filtered));
	}
}

/**
 * tcphs_stats_show() - the file's lines
 * @seq: to print to
 * @all: also the counters, which tell of every network namespace
 */
void tcphs_stats_show(struct seq_file *seq, bool all)
{
	u32 missing = tcphs_proc_missing();
	unsigned int i;

	seq_printf(seq, "version %s\n", THIS_MODULE->version);
	seq_printf(seq, "abi %u.%u\n", TCPHS_ABI_MAJOR, TCPHS_ABI_MINOR);
	seq_printf(seq, "segments_mode %s\n", mode_names[tcphs_segment_mode()]);
	seq_printf(seq, "records_per_cpu %llu\n", tcphs_ring_records);
	seq_printf(seq, "filter %s\n", tcphs_filter_active() ? "set" : "off");
	if (all)
		counters_show(seq);
	tcphs_tracepoint_show(seq);
	tcphs_watch_show(seq);
	for (i = 0; i < ARRAY_SIZE(missing_names); i++)
		if (missing & missing_names[i].bit)
			seq_printf(seq, "not_observed %s\n",
				   missing_names[i].what);
}
