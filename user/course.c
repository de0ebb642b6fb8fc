// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "course.h"
#include "memory.h"
#include "sum.h"

static struct tcphs_moment *add(struct tcphs_course *o, enum tcphs_moment_kind kind,
				unsigned int side, uint64_t ts, size_t step)
{
	struct tcphs_moment *m;

	o->moment = tcphs_memory_grow(o->moment, o->count, &o->room, sizeof(*o->moment));
	m = &o->moment[o->count];
	*m = (struct tcphs_moment){
		.kind = kind,
		.side = side,
		.ts = ts,
		.step = step,
		.made = o->count++,
	};
	return m;
}

/*
 * The states that a step brought about at one side. Those of the sender come
 * before its sending, those of the receiver after the arrival, whatever the
 * clock says: the kernel may acknowledge a FIN before it says CLOSING.
 */
static void add_states(struct tcphs_course *o, const struct tcphs_connection *c,
		       size_t i, unsigned int side, uint64_t at, bool before)
{
	const struct tcphs_step *step = &c->steps[i];
	const struct tcphs_entered *entered = &step->entered[side];
	uint32_t k;

	for (k = entered->begin; k < entered->begin + entered->count; k++) {
		const struct tcphs_stay *stay = &c->side[side].states[k];
		uint64_t ts = stay->ts ? stay->ts : at;

		if (before ? ts > at : ts < at)
			ts = at;
		add(o, TCPHS_MOMENT_STATE, side, ts, i)->state = stay->state;
		/* Connected to itself: one socket is both sides. */
		if (c->itself)
			add(o, TCPHS_MOMENT_STATE, !side, ts, i)->state = stay->state;
	}
}

static void add_step(struct tcphs_course *o, const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *step = &c->steps[i];
	uint64_t came = step->received;

	/* Which came first is not known where two clocks disagree: each row by itself. */
	if (came < step->ts + c->slack)
		came = step->ts;

	switch (step->kind) {
	case TCPHS_STEP_STATE:
		add_states(o, c, i, TCPHS_CLIENT, step->ts, false);
		add_states(o, c, i, TCPHS_SERVER, step->ts, false);
		break;
	case TCPHS_STEP_GAP:
		add(o, TCPHS_MOMENT_GAP, step->from, step->ts, i);
		break;
	case TCPHS_STEP_SEGMENT:
	case TCPHS_STEP_RESET:
		add_states(o, c, i, step->from, step->ts, true);
		add(o, TCPHS_MOMENT_LEAVES, step->from, step->ts, i);
		if (step->received)
			add(o, TCPHS_MOMENT_COMES, !step->from, came, i);
		add_states(o, c, i, !step->from, came, false);
		break;
	}
}

/* Data that is only known as a sum. */
static void add_sums(struct tcphs_course *o, const struct tcphs_connection *c)
{
	struct tcphs_sum sum[TCPHS_SUMS];
	size_t count = tcphs_sum_find(c, sum), i;

	for (i = 0; i < count; i++) {
		struct tcphs_moment *m = add(o, TCPHS_MOMENT_DATA, TCPHS_CLIENT, sum[i].ts,
					     SIZE_MAX);

		memcpy(m->bytes, sum[i].bytes, sizeof(m->bytes));
	}
}

/* ---- order ---------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct tcphs_moment *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->made < y->made ? -1 : x->made > y->made;
}

/* In place of the steps from `begin` to `end`: a word, and the states then. */
static void add_omitted(struct tcphs_course *o, const struct tcphs_connection *c,
			size_t begin, size_t end)
{
	const struct tcphs_step *last = &c->steps[end - 1];
	unsigned int side;

	add(o, TCPHS_MOMENT_OMITTED, 0, last->ts, end - 1)->count = end - begin;
	for (side = 0; side < 2; side++)
		if (c->side[side].nstates && last->after[side] != c->steps[begin].after[side])
			add(o, TCPHS_MOMENT_STATE, side, last->ts, SIZE_MAX)->state =
				last->after[side];
}

void tcphs_course_find(struct tcphs_course *o, const struct tcphs_connection *c,
		       size_t limit)
{
	size_t begin = c->nsteps, end = c->nsteps, i;

	memset(o, 0, sizeof(*o));
	if (limit && c->nsteps > limit) {
		begin = limit - limit / 3;
		end = c->nsteps - limit / 3;
	}
	for (i = 0; i < begin; i++)
		add_step(o, c, i);
	if (begin < end)
		add_omitted(o, c, begin, end);
	for (i = end; i < c->nsteps; i++)
		add_step(o, c, i);
	add_sums(o, c);
	if (o->count)
		qsort(o->moment, o->count, sizeof(*o->moment), by_time);
}

void tcphs_course_free(struct tcphs_course *o)
{
	free(o->moment);
	memset(o, 0, sizeof(*o));
}
