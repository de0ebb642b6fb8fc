// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "hole.h"
#include "memory.h"

enum { CPUS = 1 << 16 };

_Static_assert(CPUS == 1 << 8 * sizeof(((struct tcphs_record *)0)->cpu),
	       "a record's CPU number is an index");

/* Records [n, next) of a CPU, all of which one recording has. */
struct run {
	uint64_t n;
	uint64_t next;
	uint64_t first;		/* their times */
	uint64_t last;
	uint16_t cpu;
	bool lost;		/* none, but it says what was lost before: */
	uint64_t lost_n;	/* ... from here on */
	uint64_t lost_ts;	/* ... told there */
	uint64_t since;
	uint64_t until;
};

struct tcphs_holes {
	struct run *run;
	size_t runs;
	size_t room;
	size_t of_cpu[CPUS];	/* its last run, + 1; of this recording */
};

struct tcphs_holes *tcphs_hole_new(void)
{
	return tcphs_memory_get(1, sizeof(struct tcphs_holes));
}

void tcphs_hole_free(struct tcphs_holes *h)
{
	if (h)
		free(h->run);
	free(h);
}

void tcphs_hole_begin(struct tcphs_holes *h)
{
	memset(h->of_cpu, 0, sizeof(h->of_cpu));
}

static void add(struct tcphs_holes *h, const struct run *run)
{
	h->run = tcphs_memory_grow(h->run, h->runs, &h->room, sizeof(*h->run));
	h->run[h->runs++] = *run;
}

void tcphs_hole_feed(struct tcphs_holes *h, const struct tcphs_record *r)
{
	size_t at = h->of_cpu[r->cpu];
	struct run *run = at ? &h->run[at - 1] : NULL;
	struct run new = {
		.cpu = r->cpu,
		.n = r->n,
		.next = r->n + 1,
		.first = r->ts,
		.last = r->ts,
	};

	if (r->kind == TCPHS_LOST) {
		new.n = new.next = r->n + r->lost.count;
		new.first = new.last = r->lost.until ? r->lost.until : r->ts;
		new.lost = true;
		new.lost_n = r->n;
		new.lost_ts = r->ts;
		new.since = r->lost.since;
		new.until = r->lost.until;
		add(h, &new);
	} else if (run && r->n == run->next) {
		run->next++;
		run->last = r->ts;
	} else {
		add(h, &new);
		h->of_cpu[r->cpu] = h->runs;
	}
}

/* By what comes first; where several lost what is before, by who lost the least. */
static int compare(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	if (x->lost != y->lost)
		return x->lost ? -1 : 1;
	return x->lost_n > y->lost_n ? -1 : x->lost_n < y->lost_n;
}

/* None has the records from number `n` on, the one before which was at `last`. */
static void make(struct tcphs_record *hole, const struct run *behind, uint64_t n,
		 uint64_t last)
{
	memset(hole, 0, sizeof(*hole));
	hole->kind = TCPHS_LOST;
	hole->cpu = behind->cpu;
	hole->n = n;
	hole->lost.count = behind->n - n;
	if (behind->lost && behind->lost_n == n) {
		hole->ts = behind->lost_ts;
		hole->lost.since = behind->since;
		hole->lost.until = behind->until;
		return;
	}
	hole->lost.since = last;
	hole->lost.until = behind->first;
	hole->ts = last ? last : behind->first;
}

/* What precedes it has its time, where that is its CPU's record before it. */
static bool is_behind(const struct tcphs_record *hole)
{
	return hole->ts == hole->lost.since;
}

bool tcphs_hole_precedes(const struct tcphs_record *hole, uint64_t ts)
{
	return is_behind(hole) ? hole->ts < ts : hole->ts <= ts;
}

static int in_order(const void *a, const void *b)
{
	const struct tcphs_record *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	if (is_behind(x) != is_behind(y))
		return is_behind(x) ? 1 : -1;
	return x->cpu < y->cpu ? -1 : x->cpu > y->cpu;
}

struct tcphs_record *tcphs_hole_find(struct tcphs_holes *h, size_t *count)
{
	struct tcphs_record *hole = tcphs_memory_get(h->runs, sizeof(*hole));
	uint64_t next = 0, last = 0;
	size_t i;

	*count = 0;
	if (!h->runs)
		return hole;
	qsort(h->run, h->runs, sizeof(*h->run), compare);
	for (i = 0; i < h->runs; i++) {
		const struct run *run = &h->run[i];

		if (i && run->cpu != run[-1].cpu)
			next = last = 0;
		if (run->n > next)
			make(&hole[(*count)++], run, next, last);
		if (run->next >= next) {
			next = run->next;
			last = run->last;
		}
	}
	qsort(hole, *count, sizeof(*hole), in_order);
	return hole;
}
