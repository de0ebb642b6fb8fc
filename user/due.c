// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "due.h"
#include "memory.h"
#include "pair.h"

#define SECOND 1000000000ULL

/* How long after the end of a connection its last records may still come. */
#define GRACE (SECOND / 2)
/* A SYN is repeated for 127 s by default, a SYN,ACK for 63 s. */
#define IDLE (130 * SECOND)
#define SWEEP (10 * SECOND)
/* ... and for each record that came no more than so many ends are looked at. */
#define VISITS 4

static void push_due(struct tcphs_due *d, struct tcphs_end *e, uint64_t ts)
{
	size_t i;

	if (d->count == d->room) {
		size_t room = d->room ? d->room * 2 : 64;
		struct tcphs_due_entry *due = tcphs_memory_get(room, sizeof(*due));

		for (i = 0; i < d->count; i++)
			due[i] = d->entry[(d->begin + i) % d->room];
		free(d->entry);
		d->entry = due;
		d->begin = 0;
		d->room = room;
	}
	d->entry[(d->begin + d->count++) % d->room] =
		(struct tcphs_due_entry){ e, ts };
	e->due = ts;
}

/* Nothing more is expected of this end. */
static bool over(const struct tcphs_due *d, const struct tcphs_end *e)
{
	if (e->closed)
		return true;
	/* Where records were lost it may have a socket all the same. */
	if (!e->socket)
		return !e->lossy;
	return d->follow && e->state == TCPHS_TIME_WAIT;
}

void tcphs_due_check(struct tcphs_due *d, struct tcphs_end *e, uint64_t ts)
{
	struct tcphs_end *p = e->peer;

	if (e->stub || e->due || !over(d, e) || (p && (p->due || !over(d, p))))
		return;
	/* Listeners come last, except where there is no end to wait for. */
	if (e->role == TCPHS_ROLE_LISTENER && !d->follow)
		return;
	/* Only segments, on both sides: it may be about to begin. */
	if (!e->socket && (!p || !p->socket) && !e->closed)
		return;
	push_due(d, e, ts);
}

/*
 * What stays of an end that was given out: enough to take in what still comes
 * (the end of TIME_WAIT, a late RST) and to know the numbers it used.
 */
static void make_stub(struct tcphs_due *d, struct tcphs_end *e)
{
	size_t i;

	e->stub = true;
	e->peer = NULL;
	tcphs_end_forget(d->ends, e);
	if (!e->in_table) {
		tcphs_end_delete(d->ends, e);
		return;
	}
	tcphs_end_enlist(&d->ends->stubs, e);
	for (i = 0; i < sizeof(e->binding) / sizeof(e->binding[0]); i++)
		if (e->closed)
			tcphs_end_unbind(d->ends, e->binding[i].sock);
}

void tcphs_due_give(struct tcphs_due *d, struct tcphs_end *e)
{
	struct tcphs_end *p;

	tcphs_pair_find(d->ends, e, true);
	p = e->peer;
	d->give(d->arg, e, p);
	make_stub(d, e);
	if (p)
		make_stub(d, p);
}

void tcphs_due_advance(struct tcphs_due *d, uint64_t now)
{
	while (d->count) {
		struct tcphs_due_entry *due = &d->entry[d->begin];
		struct tcphs_end *e = due->end;

		if (due->ts + GRACE > now)
			break;
		d->begin = (d->begin + 1) % d->room;
		d->count--;
		if (!e)
			continue;
		e->due = 0;
		/* CLOSE may have become TIME_WAIT, or a peer been found. */
		if (e->stub || !over(d, e))
			continue;
		tcphs_pair_find(d->ends, e, true);
		if (!e->peer || over(d, e->peer))
			tcphs_due_give(d, e);
	}
}

void tcphs_due_forget(struct tcphs_due *d, const struct tcphs_end *e)
{
	size_t i;

	if (!e->due)
		return;
	for (i = 0; i < d->count; i++) {
		struct tcphs_due_entry *due = &d->entry[(d->begin + i) % d->room];

		if (due->end == e)
			due->end = NULL;
	}
}

static bool half_open(const struct tcphs_end *e)
{
	return !e->socket || (e->state == TCPHS_SYN_RECV && !e->full);
}

void tcphs_due_sweep(struct tcphs_due *d, uint64_t now)
{
	struct tcphs_end *e, *newer;

	/* Of many that live each look costs: as often as it is paid for by records. */
	d->fed++;
	if (now < d->swept + SWEEP || d->fed < d->visited / VISITS)
		return;
	d->swept = now;
	d->fed = d->visited = 0;
	while (d->ends->stubs.oldest && d->ends->stubs.oldest->last + IDLE < now)
		tcphs_end_delete(d->ends, d->ends->stubs.oldest);
	for (e = d->ends->living.oldest; e; e = newer) {
		newer = e->newer;
		d->visited++;
		if (e->last + IDLE > now || e->due || !half_open(e) ||
		    (e->peer && !half_open(e->peer)))
			continue;
		tcphs_pair_find(d->ends, e, true);
		if (newer && newer == e->peer)
			newer = newer->newer;
		tcphs_due_give(d, e);
	}
}
