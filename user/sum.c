// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdlib.h>

#include "clue.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "sum.h"

/* ---- what is recorded one by one ------------------------------------------ */

/* Payload of one segment, counted from the side's first byte. */
struct range {
	uint32_t begin;
	uint32_t end;
};

static int by_begin(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* What answered the SYN of `side`; NULL: nothing that is recorded. */
static const struct tcphs_segment *find_synack(const struct tcphs_connection *c,
					       unsigned int side)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && !step->foreign &&
		    (step->from != side || c->itself) &&
		    (step->segment.flags & (TCPHS_SYN | TCPHS_ACK)) == (TCPHS_SYN | TCPHS_ACK))
			return &step->segment;
	}
	return NULL;
}

/* How much of a SYN's data was taken; the rest is sent again. */
static uint32_t syn_taken(const struct tcphs_segment *syn, const struct tcphs_segment *synack)
{
	uint32_t taken = synack ? synack->ack - (syn->seq + 1) : syn->len;

	return taken < syn->len ? taken : syn->len;
}

static bool has_data(const struct tcphs_connection *c, const struct tcphs_step *step,
		     unsigned int side)
{
	return step->kind == TCPHS_STEP_SEGMENT && !step->foreign && step->segment.len &&
	       (step->from == side || c->itself) && !(step->segment.flags & TCPHS_RST);
}

/*
 * The bytes of `side` in recorded segments, each once: those before byte number `border`
 * and those from there on.
 */
static void find_recorded(const struct tcphs_connection *c, unsigned int side,
			  uint32_t border, uint64_t recorded[2])
{
	const struct tcphs_side *s = &c->side[side];
	uint32_t bytes = s->bytes, first = s->fin_known ? s->fin - bytes : s->isn + 1;
	uint32_t end = 0;
	const struct tcphs_segment *synack;
	size_t count = 0, i;
	struct range *range;

	for (i = 0; i < c->nsteps; i++)
		count += has_data(c, &c->steps[i], side);
	if (!count || !(s->fin_known || s->isn_known))
		return;
	synack = find_synack(c, side);
	range = tcphs_memory_get(count, sizeof(*range));
	for (count = 0, i = 0; i < c->nsteps; i++) {
		const struct tcphs_segment *g = &c->steps[i].segment;
		bool syn = g->flags & TCPHS_SYN;

		if (!has_data(c, &c->steps[i], side))
			continue;
		range[count].begin = g->seq + syn - first;
		range[count].end = range[count].begin +
				   (syn ? syn_taken(g, synack) : g->len);
		/* Of another time, or after the last number: none of these bytes. */
		count += range[count].begin < range[count].end && range[count].end <= bytes;
	}
	qsort(range, count, sizeof(*range), by_begin);
	for (i = 0; i < count; i++) {
		uint32_t begin = range[i].begin < end ? end : range[i].begin;

		if (range[i].end <= begin)
			continue;
		end = range[i].end;
		recorded[0] += begin < border ? (end < border ? end : border) - begin : 0;
		recorded[1] += end > border ? end - (begin > border ? begin : border) : 0;
	}
	free(range);
}

/* ---- when ----------------------------------------------------------------- */

static bool closes(const struct tcphs_connection *c, const struct tcphs_step *step)
{
	return !step->foreign && !tcphs_clue_ends_nothing(c, step) &&
	       (step->kind == TCPHS_STEP_RESET ||
		(step->kind == TCPHS_STEP_SEGMENT &&
		 step->segment.flags & (TCPHS_FIN | TCPHS_RST) &&
		 !(step->segment.flags & TCPHS_SYN)));
}

/* When a side began to close, as far as only its states tell; 0 unseen. */
static uint64_t closing_ts(const struct tcphs_connection *c)
{
	uint64_t first = 0;
	unsigned int side;
	size_t i;

	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		for (i = 1; i < s->nstates; i++) {
			unsigned int was = s->states[i - 1].state;
			uint64_t ts = s->states[i].ts;

			if (was == TCPHS_ESTABLISHED && ts && (!first || ts < first))
				first = ts;
		}
	}
	return first;
}

static uint64_t ended_ts(const struct tcphs_connection *c, const struct tcphs_step *until)
{
	const struct tcphs_entered *e;
	const struct tcphs_stay *states;

	if (!until)
		return closing_ts(c) ? closing_ts(c) : c->steps[c->nsteps - 1].ts + 2;
	e = &until->entered[until->from];
	states = c->side[until->from].states;
	/* A side without a socket has no states. */
	if (e->count && states[e->begin].ts && states[e->begin].ts < until->ts)
		return states[e->begin].ts;
	return until->ts;
}

/* When the first segment left that acknowledges all bytes of `side` before `next`; or never. */
static uint64_t acked_ts(const struct tcphs_connection *c, unsigned int side, uint32_t next)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && step->from != side &&
		    !step->foreign && step->ts &&
		    (step->segment.flags & (TCPHS_ACK | TCPHS_RST)) == TCPHS_ACK &&
		    !tcphs_number_before(step->segment.ack, next) &&
		    !tcphs_clue_is_stale(c, step))
			return step->ts;
	}
	return UINT64_MAX;
}

/* `next`: the number after the last of the bytes, where one side alone sent them. */
static void set_time(struct tcphs_sum *sum, const struct tcphs_connection *c,
		     const struct tcphs_step *until, const uint32_t next[2])
{
	uint64_t ts = ended_ts(c, until), acked;
	unsigned int side;

	/* No socket sends after its end. */
	for (side = 0; side < 2; side++) {
		const struct tcphs_stay *end =
			tcphs_connection_stay(&c->side[side], TCPHS_CLOSE);

		if (sum->bytes[side] && end && end->ts && end->ts < ts)
			ts = end->ts;
		/* Of both it is not known which were last. */
		if (!sum->bytes[side] || sum->bytes[!side] || !next[side])
			continue;
		/* The first numbers come after the last one, too. */
		if (c->side[side].bytes >> 31)
			continue;
		acked = acked_ts(c, side, next[side]);
		if (acked < ts)
			ts = acked;
	}
	sum->ts = ts - !!ts;
}

size_t tcphs_sum_find(const struct tcphs_connection *c, struct tcphs_sum sum[TCPHS_SUMS])
{
	const struct tcphs_step *until[TCPHS_SUMS] = { NULL, NULL };
	uint64_t late = c->half_bytes_known ? c->half_bytes : 0;
	uint32_t next[TCPHS_SUMS][2] = { { 0 } };
	size_t count = 0, i;
	unsigned int side;

	if (c->all || !c->nsteps)
		return 0;
	for (i = 0; i < c->nsteps && !until[1]; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (!closes(c, step))
			continue;
		if (!until[0])
			until[0] = step;
		else if (step->from != until[0]->from)
			until[1] = step;
	}
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];
		uint64_t bytes = s->bytes_known ? s->bytes : 0, recorded[2] = { 0, 0 };
		bool second = until[0] && side != until[0]->from;
		uint64_t after = second && late <= bytes ? late : 0;

		/* Nobody knows how many of them were sent after the FIN. */
		if (second && c->half_bytes && !c->half_bytes_known)
			bytes = 0;
		if (bytes)
			find_recorded(c, side, bytes - after, recorded);
		bytes -= after;
		sum[0].bytes[side] = bytes > recorded[0] ? bytes - recorded[0] : 0;
		sum[1].bytes[side] = after > recorded[1] ? after - recorded[1] : 0;
		if (s->isn_known) {
			next[1][side] = s->isn + 1 + (uint32_t)s->bytes;
			next[0][side] = next[1][side] - (uint32_t)after;
		}
	}
	for (i = 0; i < TCPHS_SUMS; i++) {
		if (!sum[i].bytes[0] && !sum[i].bytes[1])
			continue;
		sum[count] = sum[i];
		set_time(&sum[count++], c, until[i], next[i]);
	}
	return count;
}
