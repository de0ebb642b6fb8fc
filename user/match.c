// SPDX-License-Identifier: GPL-2.0
/*
 * One arrow from two sights. Copies of a segment are alike but for what time
 * made different (the timestamp option, the window): a copy that is alike in
 * these too is preferred, then the one whose delay is most like that of the
 * segments that cannot be mistaken.
 */
#include <stdlib.h>
#include <string.h>

#include "match.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "table.h"

#define SAME_FLAGS (TCPHS_SYN | TCPHS_FIN | TCPHS_RST | TCPHS_ACK)

/* So few are looked through; of more there is a table. */
enum { FEW = 16 };

struct entry {
	struct tcphs_table_link link;
	size_t out;
};

/* The sendings. */
struct sent {
	struct tcphs_sight *out;
	size_t outs;
	uint64_t slack;			/* added to all arrivals */
	struct tcphs_table table;
	struct entry *entry;		/* NULL: few */
};

static uint64_t key(const struct tcphs_segment *s)
{
	uint64_t h = (uint64_t)(s->seq + s->len) << 32 | s->ack;

	h ^= (uint64_t)(s->flags & SAME_FLAGS) << 17;
	h *= 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

/* A FIN that left on much data may arrive on the last cut of it. */
static bool same(const struct tcphs_segment *a, const struct tcphs_segment *b)
{
	return (a->flags & SAME_FLAGS) == (b->flags & SAME_FLAGS) &&
	       a->ack == b->ack && a->seq + a->len == b->seq + b->len &&
	       (a->len == b->len || a->flags & TCPHS_FIN);
}

bool tcphs_match_is_alike(const struct tcphs_segment *a, const struct tcphs_segment *b)
{
	return a->win == b->win && a->offset == b->offset && a->len == b->len &&
	       !memcmp(a->options, b->options, sizeof(a->options));
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static size_t same_before(const struct sent *s, size_t k, const struct tcphs_segment *i)
{
	while (k--)
		if (same(s->out[k].segment, i))
			return k;
	return TCPHS_MATCH_NONE;
}

static size_t same_in_chain(const struct sent *s, struct tcphs_table_link *l,
			    const struct tcphs_segment *i)
{
	for (; l; l = tcphs_table_next(l)) {
		size_t k = ((struct entry *)l)->out;

		if (same(s->out[k].segment, i))
			return k;
	}
	return TCPHS_MATCH_NONE;
}

/* The last sending that is the same segment as the arrival; NONE: there is none. */
static size_t last_same(const struct sent *s, const struct tcphs_segment *i)
{
	return s->entry ? same_in_chain(s, tcphs_table_first(&s->table, key(i)), i) :
			  same_before(s, s->outs, i);
}

/* The one before the sending `k`. */
static size_t next_same(const struct sent *s, size_t k, const struct tcphs_segment *i)
{
	return s->entry ? same_in_chain(s, tcphs_table_next(&s->entry[k].link), i) :
			  same_before(s, k, i);
}

/* How long it took, and the slack. */
static uint64_t delay_of(const struct sent *s, const struct tcphs_sight *i, size_t k)
{
	return i->ts + s->slack - s->out[k].ts;
}

/* The best sending for the arrival `i`, given the usual delay. */
static size_t choose(const struct sent *s, const struct tcphs_sight *i, uint64_t delay,
		     size_t *choices)
{
	const struct tcphs_sight *out = s->out;
	size_t best = TCPHS_MATCH_NONE, k;
	bool best_alike = false;

	*choices = 0;
	for (k = last_same(s, i->segment); k != TCPHS_MATCH_NONE;
	     k = next_same(s, k, i->segment)) {
		const struct tcphs_sight *o = &out[k];
		bool a;

		if (o->partner != TCPHS_MATCH_NONE || o->ts > i->ts + s->slack)
			continue;
		++*choices;
		a = tcphs_match_is_alike(o->segment, i->segment);
		if (best == TCPHS_MATCH_NONE || (a && !best_alike) ||
		    (a == best_alike &&
		     apart(delay_of(s, i, k), delay) <= apart(delay_of(s, i, best), delay))) {
			best = k;
			best_alike = a;
		}
	}
	return best;
}

/* The shortest delay among the segments of which there is only one. */
static uint64_t usual_delay(const struct sent *s, const struct tcphs_sight *in, size_t ins)
{
	uint64_t delay = UINT64_MAX;
	size_t i, k, choices;

	for (i = 0; i < ins; i++) {
		k = choose(s, &in[i], 0, &choices);
		if (choices == 1 && delay_of(s, &in[i], k) < delay)
			delay = delay_of(s, &in[i], k);
	}
	return delay == UINT64_MAX ? s->slack : delay;
}

/* Data that was cut differently: what is covered by what. */
static void cover(struct sent *s, struct tcphs_sight *in, size_t ins)
{
	struct tcphs_sight *out = s->out;
	size_t first = 0, i, k;

	for (i = 0; i < ins; i++) {
		const struct tcphs_segment *a = in[i].segment;

		if (in[i].partner != TCPHS_MATCH_NONE || !a->len)
			continue;
		while (first < s->outs && (out[first].partner != TCPHS_MATCH_NONE ||
					!out[first].segment->len))
			first++;
		for (k = first; k < s->outs && out[k].ts <= in[i].ts + s->slack; k++) {
			const struct tcphs_segment *o = out[k].segment;
			uint32_t begin, end;

			if (!o->len || out[k].covered >= o->len ||
			    out[k].partner != TCPHS_MATCH_NONE)
				continue;
			begin = tcphs_number_before(o->seq, a->seq) ? a->seq : o->seq;
			end = tcphs_number_before(o->seq + o->len, a->seq + a->len) ?
				o->seq + o->len : a->seq + a->len;
			if (!tcphs_number_before(begin, end))
				continue;
			in[i].covered += end - begin;
			out[k].covered += end - begin;
			if (out[k].covered >= o->len)
				out[k].partner = i;
		}
	}
}

/*
 * Those that are alike in everything keep their order: the first that arrived
 * is the first that was sent, of those that arrived.
 */
static void keep_order(struct sent *s, struct tcphs_sight *in, size_t ins)
{
	struct tcphs_sight *out = s->out;
	size_t i, k;

	for (i = 0; i < ins; i++) {
		size_t first = in[i].partner;

		if (first == TCPHS_MATCH_NONE)
			continue;
		for (k = last_same(s, in[i].segment); k != TCPHS_MATCH_NONE;
		     k = next_same(s, k, in[i].segment)) {
			/* Sent before, arrives later, and not told apart. */
			if (k < first && out[k].partner != TCPHS_MATCH_NONE &&
			    out[k].partner > i &&
			    tcphs_match_is_alike(out[k].segment, out[first].segment))
				first = k;
		}
		if (first != in[i].partner) {
			size_t late = in[i].partner, other = out[first].partner;

			in[i].partner = first;
			out[first].partner = i;
			in[other].partner = late;
			out[late].partner = other;
		}
	}
}

void tcphs_match_find(struct tcphs_sight *out, size_t outs,
		      struct tcphs_sight *in, size_t ins, uint64_t slack)
{
	struct sent s = { .out = out, .outs = outs, .slack = slack };
	uint64_t delay;
	size_t i, k, choices;

	if (outs > FEW)
		s.entry = tcphs_memory_get(outs, sizeof(*s.entry));
	for (i = 0; i < ins; i++)
		in[i].partner = TCPHS_MATCH_NONE;
	for (k = 0; k < outs; k++) {
		out[k].partner = TCPHS_MATCH_NONE;
		if (!s.entry)
			continue;
		s.entry[k].out = k;
		tcphs_table_add(&s.table, &s.entry[k].link, key(out[k].segment));
	}
	delay = usual_delay(&s, in, ins);
	for (i = 0; i < ins; i++) {
		k = choose(&s, &in[i], delay, &choices);
		if (k == TCPHS_MATCH_NONE)
			continue;
		in[i].partner = k;
		out[k].partner = i;
	}
	keep_order(&s, in, ins);
	cover(&s, in, ins);
	tcphs_table_free(&s.table);
	free(s.entry);
}
