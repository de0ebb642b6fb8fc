// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gap.h"
#include "memory.h"
#include "number.h"

/* One for every number that fits in a record's `cpu`, whoever wrote it: none is checked. */
enum {
	CPUS = 1 << 16,
	RECENT = 256,
	TELLING = 12,	/* bytes: the states, or the flags and the sequence number */
};

_Static_assert(CPUS == 1 << 8 * sizeof(((struct tcphs_record *)0)->cpu),
	       "a record's CPU number is an index");

struct cpu {
	uint64_t next;		/* record number to come */
	uint64_t ts;		/* of the last one */
	uint64_t *recent;	/* numbers + 1, each at its remainder */
};

struct tcphs_gaps {
	struct cpu cpu[CPUS];
};

struct tcphs_gaps *tcphs_gap_new(void)
{
	return tcphs_memory_get(1, sizeof(struct tcphs_gaps));
}

void tcphs_gap_free(struct tcphs_gaps *g)
{
	size_t i;

	for (i = 0; g && i < CPUS; i++)
		free(g->cpu[i].recent);
	free(g);
}

/* Repetitions are not looked for where this is asked. */
size_t tcphs_gap_run(struct tcphs_gaps *g, const struct tcphs_record *r, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct cpu *cpu = &g->cpu[r[i].cpu];

		if (r[i].kind == TCPHS_LOST || r[i].n != cpu->next)
			break;
		cpu->next++;
		cpu->ts = r[i].ts;
	}
	return i;
}

bool tcphs_gap_find(struct tcphs_gaps *g, const struct tcphs_record *r,
		    struct tcphs_record *lost)
{
	struct cpu *cpu = &g->cpu[r->cpu];
	bool gap;

	if (r->kind == TCPHS_LOST) {
		cpu->next = r->n + r->lost.count;
		return false;
	}
	gap = r->n > cpu->next;
	if (gap) {
		memset(lost, 0, sizeof(*lost));
		lost->ts = r->ts;
		lost->n = cpu->next;
		lost->cpu = r->cpu;
		lost->kind = TCPHS_LOST;
		lost->lost.count = r->n - cpu->next;
		lost->lost.since = cpu->ts;
		lost->lost.until = r->ts;
	}
	cpu->ts = r->ts;
	if (r->n >= cpu->next)
		cpu->next = r->n + 1;
	if (!cpu->recent)
		cpu->recent = tcphs_memory_get(RECENT, sizeof(*cpu->recent));
	cpu->recent[r->n % RECENT] = r->n + 1;
	return gap;
}

char *tcphs_gap_text(const struct tcphs_record *lost, char text[TCPHS_GAP_TEXT])
{
	char span[TCPHS_NUMBER_SIZE];

	*text = '\0';
	if (lost->lost.until > lost->ts)
		snprintf(text, TCPHS_GAP_TEXT, ", from here for %s",
			 tcphs_number_span(lost->lost.until - lost->ts, span));
	return text;
}

char *tcphs_gap_count(const struct tcphs_record *lost, char text[TCPHS_GAP_TEXT])
{
	uint64_t count = lost->lost.count;

	if (lost->flags & TCPHS_SOME)
		snprintf(text, TCPHS_GAP_TEXT, "some records");
	else
		snprintf(text, TCPHS_GAP_TEXT, "%" PRIu64 " record%s", count,
			 tcphs_number_plural(count));
	return text;
}

bool tcphs_gap_same(const struct tcphs_record *a, const struct tcphs_record *b)
{
	const size_t what = offsetof(struct tcphs_record, transition);

	if (a->ts != b->ts || a->cpu != b->cpu || a->kind != b->kind)
		return false;
	if (a->n == b->n)
		return true;
	/* Not all of it: JSON leaves ends out that are not known yet. */
	return a->kind != TCPHS_LOST && a->sock == b->sock && a->netns == b->netns &&
	       !memcmp((const char *)a + what, (const char *)b + what, TELLING);
}

bool tcphs_gap_repeats(const struct tcphs_gaps *g, const struct tcphs_record *r)
{
	const struct cpu *cpu = &g->cpu[r->cpu];

	return cpu->recent && cpu->recent[r->n % RECENT] == r->n + 1;
}
