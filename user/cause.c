// SPDX-License-Identifier: GPL-2.0
/* Which segment brought about which state, or which state came with none. */
#include "cause.h"
#include "names.h"
#include "number.h"
#include "side.h"

#define MS 1000000ULL

/* A cause is no longer ago than this when something else came in between ... */
#define NEAR (10 * MS)
/* ... and no longer than this when nothing did. */
#define FAR (100 * MS)

/* The acknowledgement of this side's FIN. */
static bool acks_fin(const struct tcphs_side *side, const struct tcphs_segment *s)
{
	return s->flags & TCPHS_ACK && !(s->flags & TCPHS_SYN) && side->fin_known &&
	       !tcphs_number_before(s->ack, side->fin + 1);
}

/* An arrival that may have led from `old` to `new`. */
static bool may_cause(const struct tcphs_side *side, const struct tcphs_segment *s,
		      unsigned int old, unsigned int new)
{
	unsigned int flags = s->flags & (TCPHS_SYN | TCPHS_FIN | TCPHS_RST | TCPHS_ACK);

	switch (new) {
	case TCPHS_SYN_RECV:
		return flags == TCPHS_SYN || (side->cookie && flags & TCPHS_ACK);
	case TCPHS_ESTABLISHED:
		return flags & TCPHS_ACK && !(flags & TCPHS_RST) &&
		       (old != TCPHS_SYN_SENT || flags & TCPHS_SYN);
	case TCPHS_CLOSE_WAIT:
	case TCPHS_CLOSING:
		return flags & TCPHS_FIN;
	case TCPHS_FIN_WAIT2:
		return acks_fin(side, s);
	case TCPHS_TIME_WAIT:
		return old == TCPHS_CLOSING ? acks_fin(side, s) : flags & TCPHS_FIN;
	case TCPHS_CLOSE:
		return flags & TCPHS_RST || (old == TCPHS_LAST_ACK && acks_fin(side, s));
	}
	return false;
}

/* A sending to which the change to `new` belongs. */
static bool goes_with(const struct tcphs_segment *s, unsigned int new)
{
	switch (new) {
	case TCPHS_SYN_SENT:
		return s->flags & TCPHS_SYN;
	case TCPHS_FIN_WAIT1:
	case TCPHS_LAST_ACK:
		return s->flags & TCPHS_FIN;
	case TCPHS_CLOSE:
		return s->flags & TCPHS_RST;
	}
	return false;
}

/*
 * The segment that the change in record i came from or went with: its index,
 * or SIZE_MAX. Order and numbers must allow it; the time in between is small.
 */
static size_t find(const struct tcphs_sights *v, const struct tcphs_side *side, size_t i)
{
	const struct tcphs_record *r = &v->e->record[i];
	const struct tcphs_transition *t = &r->transition;
	unsigned int between = 0;
	size_t k;

	/* TIME_WAIT, its restart and end are told together. */
	if (t->via == TCPHS_VIA_TIMEWAIT && t->new == TCPHS_CLOSE &&
	    t->old == TCPHS_TIME_WAIT)
		between++;
	for (k = i; k-- > 0 && between < 8;) {
		const struct tcphs_record *p = &v->e->record[k];
		bool out;

		if (r->ts - p->ts > (between ? NEAR : FAR) && p->ts < r->ts)
			break;
		if (p->kind == TCPHS_LOST)
			break;
		if (p->kind != TCPHS_SEGMENT)
			continue;
		out = p->segment.mark & TCPHS_SEG_OUT;
		if (v->step[k] != TCPHS_SIGHTS_NO_STEP &&
		    (out ? t->new == TCPHS_CLOSE && goes_with(&p->segment, t->new) :
			   may_cause(side, &p->segment, t->old, t->new)))
			return k;
		between++;
	}
	between = 0;
	for (k = i + 1; k < v->e->records && between < 4; k++) {
		const struct tcphs_record *n = &v->e->record[k];

		if (n->ts > r->ts + NEAR)
			break;
		if (n->kind == TCPHS_TRANSITION && n->transition.old != n->transition.new)
			break;
		if (n->kind != TCPHS_SEGMENT)
			continue;
		if (v->step[k] != TCPHS_SIGHTS_NO_STEP && n->segment.mark & TCPHS_SEG_OUT &&
		    goes_with(&n->segment, t->new))
			return k;
		between++;
	}
	return SIZE_MAX;
}

/* A state that nobody saw being entered is told with the one after it. */
static uint32_t with_unseen(const struct tcphs_side *side, uint32_t state)
{
	while (state > 1 && !side->states[state - 1].ts)
		state--;
	return state;
}

void tcphs_cause_tell(struct tcphs_steps *s, const struct tcphs_sights *v,
		      const struct tcphs_side *side, unsigned int which, bool itself)
{
	size_t i;

	for (i = 0; i < v->e->records; i++) {
		uint32_t state = v->entered[i], begin;
		struct tcphs_entered *entered;
		struct tcphs_step *step;
		size_t k;

		if (state == TCPHS_SIDE_NO_STATE)
			continue;
		begin = with_unseen(side, state);
		k = find(v, side, i);
		if (k != SIZE_MAX) {
			bool out = v->e->record[k].segment.mark & TCPHS_SEG_OUT;

			/* Connected to itself: what arrives, arrives there. */
			step = &s->step[v->step[k]];
			entered = &step->entered[itself && !out ? TCPHS_SERVER : which];
			if (!entered->count || entered->begin + entered->count == begin) {
				if (!entered->count)
					entered->begin = begin;
				entered->count += state - begin + 1;
				continue;
			}
		}
		step = tcphs_step_add(s, TCPHS_STEP_STATE, which);
		step->ts = side->states[state].ts;
		step->entered[which] =
			(struct tcphs_entered){ begin, state - begin + 1 };
	}
}
