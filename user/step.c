// SPDX-License-Identifier: GPL-2.0
/*
 * From the records of one or two ends to steps: a row for each segment, whether one
 * side saw it or both, for each RST and each gap; and their order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gap.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "step.h"

/*
 * A follower tells of connections one after the other, and each takes arrays of the
 * same size: two stay for the next one, unless they are large.
 */
enum { KEPT = 2, KEPT_MAX = 256 };

static struct {
	struct tcphs_step *step;
	size_t room;
} kept[KEPT];

/* At least `*room` steps, which is set to how many. */
static struct tcphs_step *get_steps(size_t *room)
{
	struct tcphs_step *step;
	size_t i;

	for (i = 0; i < KEPT; i++) {
		step = kept[i].step;
		if (!step || kept[i].room < *room)
			continue;
		kept[i].step = NULL;
		*room = kept[i].room;
		return step;
	}
	return tcphs_memory_room(*room, sizeof(*step));
}

static void put_steps(struct tcphs_step *step, size_t room)
{
	size_t i;

	for (i = 0; i < KEPT && room <= KEPT_MAX; i++) {
		if (kept[i].step && kept[i].room >= room)
			continue;
		free(kept[i].step);
		kept[i].step = step;
		kept[i].room = room;
		return;
	}
	free(step);
}

void tcphs_step_begin(struct tcphs_steps *s, size_t room)
{
	s->count = 0;
	s->room = room;
	s->step = get_steps(&s->room);
}

void tcphs_step_free(struct tcphs_step *step, size_t count, size_t room)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(step[i].note);
	put_steps(step, room);
}

struct tcphs_step *tcphs_step_add(struct tcphs_steps *s, enum tcphs_step_kind kind,
				  unsigned int from)
{
	struct tcphs_step *step;

	s->step = tcphs_memory_grow(s->step, s->count, &s->room, sizeof(*s->step));
	step = &s->step[s->count++];
	memset(step, 0, sizeof(*step));
	step->kind = kind;
	step->from = from;
	return step;
}

/* ---- segments ------------------------------------------------------------- */

void tcphs_step_look(struct tcphs_sights *v, const struct tcphs_end *e)
{
	size_t segments = 0, outs = 0, size, i;

	v->e = e;
	for (i = 0; i < e->records; i++) {
		if (e->record[i].kind != TCPHS_SEGMENT)
			continue;
		segments++;
		outs += e->record[i].segment.mark & TCPHS_SEG_OUT;
	}
	size = sizeof(*v->out) * segments +
	       (sizeof(*v->step) + sizeof(*v->entered)) * e->records;
	v->out = tcphs_memory_get(1, size ? size : 1);
	v->in = v->out + outs;
	v->step = (size_t *)(v->out + segments);
	v->entered = (uint32_t *)(v->step + e->records);
	for (i = 0; i < e->records; i++) {
		const struct tcphs_record *r = &e->record[i];
		struct tcphs_sight *sight;

		v->step[i] = TCPHS_SIGHTS_NO_STEP;
		if (r->kind != TCPHS_SEGMENT)
			continue;
		sight = r->segment.mark & TCPHS_SEG_OUT ? &v->out[v->outs++] :
							  &v->in[v->ins++];
		sight->ts = r->ts;
		sight->segment = &r->segment;
		sight->record = i;
		sight->partner = TCPHS_MATCH_NONE;
	}
}

void tcphs_step_unlook(struct tcphs_sights *v)
{
	free(v->out);
}

void tcphs_step_draw(struct tcphs_steps *s, struct tcphs_sights *sender,
		     struct tcphs_sights *to, unsigned int from, uint64_t slack)
{
	struct tcphs_step *step;
	size_t i;

	if (sender && to)
		tcphs_match_find(sender->out, sender->outs, to->in, to->ins, slack);
	for (i = 0; sender && i < sender->outs; i++) {
		const struct tcphs_sight *o = &sender->out[i];

		step = tcphs_step_add(s, TCPHS_STEP_SEGMENT, from);
		step->segment = *o->segment;
		step->sent = step->ts = o->ts;
		step->retransmit = o->segment->mark & TCPHS_SEG_RETRANSMIT;
		sender->step[o->record] = s->count - 1;
		if (o->partner != TCPHS_MATCH_NONE) {
			step->received = to->in[o->partner].ts;
			/* Where it came: what this called for stands behind it. */
			if (step->received < step->sent)
				step->ts = step->received;
			step->alike = tcphs_match_is_alike(o->segment,
							   to->in[o->partner].segment);
			/* What the receiving socket made of it. */
			step->segment.mark |= to->in[o->partner].segment->mark &
					      TCPHS_SEG_ACCEPT_FULL;
			to->step[to->in[o->partner].record] = s->count - 1;
		}
	}
	for (i = 0; to && i < to->ins; i++) {
		const struct tcphs_sight *in = &to->in[i];

		if (in->partner != TCPHS_MATCH_NONE ||
		    to->step[in->record] != TCPHS_SIGHTS_NO_STEP ||
		    (in->segment->len && in->covered >= in->segment->len))
			continue;
		step = tcphs_step_add(s, TCPHS_STEP_SEGMENT, from);
		step->segment = *in->segment;
		step->received = step->ts = in->ts;
		to->step[in->record] = s->count - 1;
	}
}

/* ---- what is not a segment ------------------------------------------------ */

/* Up to which record a reset that the socket got was its own, and its RST follows. */
static size_t reset_itself(const struct tcphs_end *e)
{
	size_t i;

	for (i = e->records; i-- > 0;)
		if (e->record[i].kind == TCPHS_RESET && e->record[i].reset.out)
			return i;
	return 0;
}

void tcphs_step_add_resets(struct tcphs_steps *s, const struct tcphs_sights *v,
			   unsigned int which)
{
	size_t itself = reset_itself(v->e), i, k;

	for (i = 0; i < v->e->records; i++) {
		const struct tcphs_record *r = &v->e->record[i];
		unsigned int from = r->reset.out ? which : !which;
		struct tcphs_step *step;

		if (r->kind != TCPHS_RESET || (!r->reset.out && i < itself))
			continue;
		for (k = 0; k < s->count; k++) {
			step = &s->step[k];
			if (step->from == from &&
			    (step->kind == TCPHS_STEP_RESET ||
			     (step->kind == TCPHS_STEP_SEGMENT &&
			      step->segment.flags & TCPHS_RST)))
				break;
		}
		if (k < s->count)
			continue;
		step = tcphs_step_add(s, TCPHS_STEP_RESET, from);
		step->ts = r->ts;
		if (r->reset.out)
			step->sent = r->ts;
		else
			step->received = r->ts;
	}
}

/* e has the gap among its records, with as many lost. */
static bool marks(const struct tcphs_end *e, const struct tcphs_record *lost)
{
	size_t i;

	for (i = 0; i < e->records; i++)
		if (e->record[i].kind == TCPHS_LOST && e->record[i].cpu == lost->cpu &&
		    e->record[i].n == lost->n &&
		    e->record[i].lost.count == lost->lost.count)
			return true;
	return false;
}

void tcphs_step_add_gaps(struct tcphs_steps *s, const struct tcphs_sights *v,
			 const struct tcphs_sights *other, unsigned int which)
{
	char text[80], span[TCPHS_GAP_TEXT];
	size_t i;

	for (i = 0; i < v->e->records; i++) {
		const struct tcphs_record *r = &v->e->record[i];
		struct tcphs_step *step;

		if (r->kind != TCPHS_LOST || (other && marks(other->e, r)))
			continue;
		tcphs_gap_text(r, span);
		snprintf(text, sizeof(text), "%" PRIu64 " record%s lost%s",
			 (uint64_t)r->lost.count, tcphs_number_plural(r->lost.count),
			 *span ? span : " here");
		step = tcphs_step_add(s, TCPHS_STEP_GAP, which);
		step->ts = r->ts;
		step->note = tcphs_memory_text(text);
	}
}

/* ---- order ---------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
	const struct tcphs_step *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	/* Equal times keep the order in which they were told. */
	return x->made < y->made ? -1 : x->made > y->made;
}

/* Two parts, up to `middle` and from there, that are each in order. */
static void merge(struct tcphs_steps *s, size_t middle)
{
	const struct tcphs_step *a = s->step, *b = a + middle;
	size_t room = s->room;
	struct tcphs_step *step = get_steps(&room), *to = step;

	while (to < step + s->count)
		*to++ = b == s->step + s->count ||
			(a < s->step + middle && by_key(a, b) < 0) ? *a++ : *b++;
	put_steps(s->step, s->room);
	s->step = step;
	s->room = room;
}

void tcphs_step_order(struct tcphs_steps *s)
{
	size_t i, parts = 1, middle = 0;

	/* Mostly what the one side sent is followed by what the other did: two parts. */
	for (i = 0; i < s->count; i++) {
		s->step[i].made = i;
		if (!i || by_key(&s->step[i - 1], &s->step[i]) < 0)
			continue;
		parts++;
		middle = i;
	}
	if (parts == 2)
		merge(s, middle);
	else if (parts > 2)
		qsort(s->step, s->count, sizeof(*s->step), by_key);
}
