// SPDX-License-Identifier: GPL-2.0
/*
 * From ends to a connection: who is the client, which sending is which arrival,
 * which segment brought about which state, in what order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "connection.h"
#include "gap.h"
#include "match.h"
#include "memory.h"
#include "names.h"
#include "note.h"
#include "number.h"
#include "side.h"
#include "table.h"
#include "verdict.h"

#define MS 1000000ULL

/* A cause is no longer ago than this when something else came in between ... */
#define NEAR (10 * MS)
/* ... and no longer than this when nothing did. */
#define FAR (100 * MS)
/* What was sent so late may still have been under way at the recording's end. */
#define UNDER_WAY (1000 * MS)

#define NO_STEP SIZE_MAX

/* One end while it is being told. */
struct view {
	const struct tcphs_end *e;
	struct tcphs_sight *out;	/* one piece of memory, with ... */
	size_t *step;		/* per record: the step it became */
	uint32_t *entered;	/* per record: index of the state it entered */
	struct tcphs_sight *in;	/* in the same array, behind them */
	size_t outs;
	size_t ins;
};

/* ---- who is who ----------------------------------------------------------- */

static uint64_t first_syn(const struct tcphs_end *e)
{
	size_t i;

	for (i = 0; i < e->records; i++) {
		const struct tcphs_segment *s = &e->record[i].segment;

		if (e->record[i].kind == TCPHS_SEGMENT && s->mark & TCPHS_SEG_OUT &&
		    (s->flags & (TCPHS_SYN | TCPHS_ACK)) == TCPHS_SYN)
			return e->record[i].ts;
	}
	return e->first;
}

unsigned int tcphs_connection_side(const struct tcphs_end *a, const struct tcphs_end *b,
				   bool *assumed)
{
	if (a->role == TCPHS_ROLE_ACTIVE) {
		/* Simultaneous open: two clients; the first SYN decides. */
		if (b && b->role == TCPHS_ROLE_ACTIVE && first_syn(b) < first_syn(a))
			return TCPHS_SERVER;
		return TCPHS_CLIENT;
	}
	if (b && b->role == TCPHS_ROLE_ACTIVE)
		return TCPHS_SERVER;
	if (a->role == TCPHS_ROLE_PASSIVE || a->listener.known)
		return TCPHS_SERVER;
	if (b && (b->role == TCPHS_ROLE_PASSIVE || b->listener.known))
		return TCPHS_CLIENT;
	/*
	 * Nobody saw the SYN. Ports for clients are above those of most services
	 * (RFC 6335); the row says that this is an assumption.
	 */
	*assumed = true;
	return a->tuple.lport >= a->tuple.rport ? TCPHS_CLIENT : TCPHS_SERVER;
}

/* ---- memory --------------------------------------------------------------- */

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

/* ---- steps ---------------------------------------------------------------- */

struct steps {
	struct tcphs_step *step;
	size_t count;
	size_t room;
};

static struct tcphs_step *add_step(struct steps *s, enum tcphs_step_kind kind,
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

static void look(struct view *v, const struct tcphs_end *e)
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

		v->step[i] = NO_STEP;
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

static void unlook(struct view *v)
{
	free(v->out);
}

/*
 * The arrows from side `from` to the other one. `to` is NULL, or has no
 * segments, when that side is not on this machine.
 */
static void draw(struct steps *s, struct view *sender, struct view *to,
		 unsigned int from)
{
	struct tcphs_step *step;
	size_t i;

	if (sender && to)
		tcphs_match_find(sender->out, sender->outs, to->in, to->ins);
	for (i = 0; sender && i < sender->outs; i++) {
		const struct tcphs_sight *o = &sender->out[i];

		step = add_step(s, TCPHS_STEP_SEGMENT, from);
		step->segment = *o->segment;
		step->sent = step->ts = o->ts;
		step->retransmit = o->segment->mark & TCPHS_SEG_RETRANSMIT;
		sender->step[o->record] = s->count - 1;
		if (o->partner != TCPHS_MATCH_NONE) {
			step->received = to->in[o->partner].ts;
			/* What the receiving socket made of it. */
			step->segment.mark |= to->in[o->partner].segment->mark &
					      TCPHS_SEG_ACCEPT_FULL;
			to->step[to->in[o->partner].record] = s->count - 1;
		}
	}
	for (i = 0; to && i < to->ins; i++) {
		const struct tcphs_sight *in = &to->in[i];

		if (in->partner != TCPHS_MATCH_NONE ||
		    to->step[in->record] != NO_STEP ||
		    (in->segment->len && in->covered >= in->segment->len))
			continue;
		step = add_step(s, TCPHS_STEP_SEGMENT, from);
		step->segment = *in->segment;
		step->received = step->ts = in->ts;
		to->step[in->record] = s->count - 1;
	}
}

/* ---- which segment brought about which state ------------------------------ */

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
static size_t cause(const struct view *v, const struct tcphs_side *side, size_t i)
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
		if (v->step[k] != NO_STEP &&
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
		if (v->step[k] != NO_STEP && n->segment.mark & TCPHS_SEG_OUT &&
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

static void place_states(struct steps *s, struct view *v,
			 const struct tcphs_side *side, unsigned int which,
			 bool itself)
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
		k = cause(v, side, i);
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
		step = add_step(s, TCPHS_STEP_STATE, which);
		step->ts = side->states[state].ts;
		step->entered[which] =
			(struct tcphs_entered){ begin, state - begin + 1 };
	}
}

/* A RST that only the socket told of (segments=none). */
static void place_resets(struct steps *s, const struct view *v, unsigned int which)
{
	size_t i, k;

	for (i = 0; i < v->e->records; i++) {
		const struct tcphs_record *r = &v->e->record[i];
		unsigned int from = r->reset.out ? which : !which;
		struct tcphs_step *step;

		if (r->kind != TCPHS_RESET)
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
		step = add_step(s, TCPHS_STEP_RESET, from);
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

/* Where records are missing; one row for both ends, the first one's. */
static void place_gaps(struct steps *s, const struct view *v, const struct view *other,
		       unsigned int which)
{
	char text[80], span[TCPHS_GAP_TEXT];
	size_t i;

	for (i = 0; i < v->e->records; i++) {
		const struct tcphs_record *r = &v->e->record[i];
		struct tcphs_step *step;

		if (r->kind != TCPHS_LOST || (other && marks(other->e, r)))
			continue;
		tcphs_gap_text(r, span);
		snprintf(text, sizeof(text), "%" PRIu64 " records lost%s",
			 (uint64_t)r->lost.count, *span ? span : " here");
		step = add_step(s, TCPHS_STEP_GAP, which);
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
static void merge(struct steps *s, size_t middle)
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

/* Mostly what the one side sent is followed by what the other did. */
static void order(struct steps *s)
{
	size_t i, parts = 1, middle = 0;

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

unsigned int tcphs_connection_state(const struct tcphs_side *s, uint64_t ts)
{
	unsigned int state = TCPHS_STATE_UNKNOWN;
	size_t i;

	for (i = 0; i < s->nstates; i++) {
		if (s->states[i].ts > ts)
			break;
		state = s->states[i].state;
	}
	return state;
}

const struct tcphs_stay *tcphs_connection_stay(const struct tcphs_side *s,
					       unsigned int state)
{
	size_t i;

	for (i = 1; i < s->nstates; i++)
		if (s->states[i].state == state)
			return &s->states[i];
	return NULL;
}

/*
 * When each state was there for the other side to see: at the latest when the
 * segment that it goes with came or went. (The kernel acknowledges a FIN before
 * it says CLOSING.)
 */
static uint64_t *effective(const struct tcphs_connection *c, unsigned int side)
{
	const struct tcphs_side *s = &c->side[side];
	uint64_t *ts = tcphs_memory_get(s->nstates, sizeof(*ts));
	size_t i, k;

	for (i = 0; i < s->nstates; i++)
		ts[i] = s->states[i].ts;
	for (k = 0; k < c->nsteps; k++) {
		const struct tcphs_step *step = &c->steps[k];
		const struct tcphs_entered *entered = &step->entered[side];
		uint64_t at = side == step->from ? step->sent : step->received;

		for (i = entered->begin; i < entered->begin + entered->count; i++)
			if (at && at < ts[i])
				ts[i] = at;
	}
	return ts;
}

/*
 * The states of a side after each step. Rows are in the order of sending, and an
 * arrow may arrive after later rows were sent: a state that a later row brings
 * about, or begins with, is not told before it. The last row has them all.
 */
static void tell_side_after(struct tcphs_connection *c, unsigned int side)
{
	const struct tcphs_side *s = &c->side[side];
	size_t limit = s->nstates - 1, highest = 0, at, k;
	uint64_t *ts = effective(c, side);

	for (k = c->nsteps; k-- > 0;) {
		struct tcphs_step *step = &c->steps[k];
		const struct tcphs_entered *entered = &step->entered[side];
		uint64_t now = side != step->from && step->received ? step->received :
								      step->ts;

		if (entered->count) {
			at = entered->begin + entered->count - 1;
		} else {
			at = 0;
			while (at + 1 < s->nstates && ts[at + 1] <= now)
				at++;
		}
		if (at > highest)
			highest = at;
		if (at > limit)
			at = limit;
		step->after[side] = s->states[at].state;
		if (entered->count && entered->begin && entered->begin - 1 < limit)
			limit = entered->begin - 1;
		else if (at < limit)
			limit = at;
	}
	if (c->nsteps)
		c->steps[c->nsteps - 1].after[side] = s->states[highest].state;
	free(ts);
}

static void tell_after(struct tcphs_connection *c)
{
	unsigned int side;

	for (side = 0; side < 2; side++)
		if (c->side[side].nstates)
			tell_side_after(c, side);
}

/* ---- copies and losses ---------------------------------------------------- */

/*
 * Sent from the side's own address, and not by its socket: a raw socket forged
 * it. Where a socket lives, the kernel sends nothing without it but a RST, of
 * which tcp_send_reset tells first.
 */
static bool is_forged(const struct tcphs_side *s, const struct tcphs_step *step,
		      const struct tcphs_context *x)
{
	bool rst = step->segment.flags & TCPHS_RST;

	if (step->kind != TCPHS_STEP_SEGMENT || !step->sent || !s->socket ||
	    !(step->segment.mark & TCPHS_SEG_NO_SOCKET))
		return false;
	switch (tcphs_connection_state(s, step->sent)) {
	case TCPHS_ESTABLISHED:
	case TCPHS_FIN_WAIT1:
	case TCPHS_CLOSE_WAIT:
	case TCPHS_CLOSING:
	case TCPHS_LAST_ACK:
		if (rst && x->missing & TCPHS_MISSING_SEND_RESET)
			return false;
		return !rst || !s->rst_sent.known || s->rst_sent.ts > step->sent;
	case TCPHS_SYN_SENT:
	case TCPHS_FIN_WAIT2:
		/* A mini-socket's RST has nothing to tell it. */
		return !rst;
	}
	return false;
}

static void mark_forged(struct tcphs_connection *c, const struct tcphs_context *x)
{
	size_t i;

	if (c->whole != TCPHS_WHOLE_COMPLETE)
		return;
	for (i = 0; i < c->nsteps; i++)
		c->steps[i].foreign = is_forged(&c->side[c->steps[i].from],
						&c->steps[i], x);
}

static enum tcphs_copies kind_of(const struct tcphs_segment *s)
{
	if (s->flags & TCPHS_SYN)
		return s->flags & TCPHS_ACK ? TCPHS_COPIES_SYNACK : TCPHS_COPIES_SYN;
	return s->flags & TCPHS_FIN ? TCPHS_COPIES_FIN : TCPHS_COPIES_DATA;
}

/*
 * Mark what was sent again, where the sender is not here to say so: a SYN, FIN
 * or stretch of data of which all was sent before. (A sender's own sight is in
 * the order of sending; an arrival may be late instead, and only counts when it
 * is the very same segment once more.)
 */
static void mark_copies(struct tcphs_connection *c)
{
	bool known[2] = { false, false }, synacked[2] = { false, false };
	uint32_t top[2] = { 0, 0 };
	struct tcphs_table seen = { 0 };
	struct tcphs_table_link *link = NULL;
	size_t i;

	for (i = 0; i < TCPHS_COPIES_KINDS; i++)
		c->copies[i] = 0;
	/* Only of what was not seen leaving is it asked whether it came before. */
	for (i = 0; i < c->nsteps && !link; i++)
		if (c->steps[i].kind == TCPHS_STEP_SEGMENT && !c->steps[i].sent)
			link = tcphs_memory_get(c->nsteps, sizeof(*link));
	for (i = 0; i < c->nsteps; i++) {
		struct tcphs_step *step = &c->steps[i];
		const struct tcphs_segment *s = &step->segment;
		unsigned int from = step->from;
		uint32_t end;
		uint64_t key;

		if (step->kind != TCPHS_STEP_SEGMENT || s->flags & TCPHS_RST ||
		    step->foreign)
			continue;
		/* A forged segment's numbers say nothing of what the socket sent. */
		if (!step->sent && c->side[from].seen && !c->itself &&
		    c->whole == TCPHS_WHOLE_COMPLETE)
			continue;
		end = s->seq + s->len + !!(s->flags & TCPHS_SYN) +
		      !!(s->flags & TCPHS_FIN);
		if (end == s->seq)
			continue;
		key = ((uint64_t)s->seq << 32 | s->len) * 0x9e3779b97f4a7c15ULL ^
		      (from + 1) * 0xff51afd7ed558ccdULL ^ (s->flags & 0x17);
		/* The table takes the low bits, where the number is not yet. */
		key ^= key >> 32;
		if (step->sent)
			step->retransmit |= known[from] &&
					    !tcphs_number_before(top[from], end);
		else if (!step->sent)
			step->again = tcphs_table_first(&seen, key) != NULL;
		/* In a simultaneous open, SYN,ACK is another segment than SYN. */
		if (kind_of(s) == TCPHS_COPIES_SYNACK) {
			if (!synacked[from])
				step->retransmit = false;
			synacked[from] = true;
		}
		step->retransmit |= step->again;
		if (link)
			tcphs_table_add(&seen, &link[i], key);
		if (!known[from] || tcphs_number_before(top[from], end))
			top[from] = end;
		known[from] = true;
		if (step->retransmit)
			c->copies[kind_of(s)]++;
	}
	tcphs_table_free(&seen);
	free(link);
}

/* How many copies there were, where the steps do not tell all. */
static void count_copies(struct tcphs_connection *c)
{
	uint64_t total = 0, told;
	unsigned int side;
	bool known = true;
	size_t i;

	if (!c->segments || c->whole != TCPHS_WHOLE_COMPLETE) {
		for (i = 0; i < TCPHS_COPIES_KINDS; i++)
			if (!c->segments || !c->copies[i])
				c->copies[i] = -1;
	}
	if (c->all && c->whole == TCPHS_WHOLE_COMPLETE)
		return;
	/* The sockets count all that they sent again; the rest was data. */
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		if (!s->socket)
			continue;
		known &= s->retransmits_known;
		total += s->retransmits;
	}
	told = 0;
	for (i = 0; i < TCPHS_COPIES_DATA; i++) {
		known &= c->copies[i] >= 0;
		told += c->copies[i] > 0 ? c->copies[i] : 0;
	}
	/* A side that is elsewhere keeps its count to itself. */
	known &= (c->side[0].socket && c->side[1].socket) || c->itself;
	if (c->itself)
		total /= 2;
	if (known)
		c->copies[TCPHS_COPIES_DATA] = total > told ? total - told : 0;
	else if (!c->all)
		c->copies[TCPHS_COPIES_DATA] = -1;
}

/* The other side answered what this pure ACK acknowledges as if it had not come. */
static bool missed(const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *step = &c->steps[i];
	size_t k;

	for (k = i + 1; k < c->nsteps; k++) {
		const struct tcphs_step *later = &c->steps[k];
		const struct tcphs_segment *s = &later->segment;

		if (later->kind == TCPHS_STEP_SEGMENT && later->from != step->from &&
		    later->retransmit && s->flags & (TCPHS_SYN | TCPHS_FIN) &&
		    !tcphs_number_before(step->segment.ack, s->seq + s->len + 1))
			return true;
	}
	return false;
}

/* Its host's recording has segments. */
static bool tells_segments(const struct tcphs_side *s)
{
	return !s->host || s->host->segments != TCPHS_SEGMENTS_NONE;
}

/*
 * Recordings of several hosts begin and end at different times: what the other
 * one saw nothing of counts only while it watched.
 */
static bool was_watched(const struct tcphs_connection *c, const struct tcphs_step *step)
{
	unsigned int other = step->sent ? !step->from : step->from;
	const struct tcphs_host *host = c->side[other].host;
	uint64_t error = c->clock_error == UINT64_MAX ? 0 : c->clock_error;

	return !c->hosts || !host ||
	       (step->ts >= host->begun + error && step->ts + error <= host->last);
}

/* When the last record came from where the segment should have come to. */
static uint64_t last(const struct tcphs_connection *c, const struct tcphs_step *step,
		     const struct tcphs_context *x)
{
	const struct tcphs_host *host = c->side[!step->from].host;

	return c->hosts && host ? host->last : x->last;
}

/*
 * Lost on the way: sent here, and the other side, which is here too, never saw
 * it. Foreign: came here, and the other side never sent it. Of pure ACKs not
 * both sides need have a record with segments=handshake.
 */
static void mark_losses(struct tcphs_connection *c, const struct tcphs_context *x)
{
	size_t i;

	if (!c->side[0].seen || !c->side[1].seen || c->whole == TCPHS_WHOLE_LOSSY)
		return;
	if (c->hosts && (!tells_segments(&c->side[0]) || !tells_segments(&c->side[1])))
		return;
	for (i = 0; i < c->nsteps; i++) {
		struct tcphs_step *step = &c->steps[i];
		bool marked;

		if (step->kind != TCPHS_STEP_SEGMENT || step->foreign ||
		    (step->sent && step->received))
			continue;
		marked = c->all ||
			 step->segment.flags & (TCPHS_SYN | TCPHS_FIN | TCPHS_RST);
		if (!was_watched(c, step))
			continue;
		if (step->sent)
			step->lost = marked ? step->sent + UNDER_WAY < last(c, step, x) ||
					      missed(c, i) : missed(c, i);
		else if (marked && !c->itself)
			step->foreign = c->whole == TCPHS_WHOLE_COMPLETE;
	}
	/* A copy that came proves that an earlier one that did not is gone. */
	for (i = 0; i < c->nsteps; i++) {
		struct tcphs_step *step = &c->steps[i];
		size_t k;

		if (step->kind != TCPHS_STEP_SEGMENT || !step->sent ||
		    step->received || step->lost ||
		    !(step->segment.flags & (TCPHS_SYN | TCPHS_FIN)))
			continue;
		for (k = i + 1; k < c->nsteps && !step->lost; k++)
			step->lost = c->steps[k].kind == TCPHS_STEP_SEGMENT &&
				     c->steps[k].from == step->from &&
				     c->steps[k].received &&
				     c->steps[k].segment.flags & (TCPHS_SYN | TCPHS_FIN) &&
				     c->steps[k].segment.seq == step->segment.seq;
	}
}

/* ---- times ---------------------------------------------------------------- */

static uint64_t syn_ts(const struct tcphs_connection *c, unsigned int at)
{
	const struct tcphs_stay *stay;
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && step->from == TCPHS_CLIENT &&
		    (step->segment.flags & (TCPHS_SYN | TCPHS_ACK)) == TCPHS_SYN)
			return at == TCPHS_CLIENT ? step->sent : step->received;
	}
	stay = tcphs_connection_stay(&c->side[at], at == TCPHS_CLIENT ?
				     TCPHS_SYN_SENT : TCPHS_SYN_RECV);
	return stay ? stay->ts : 0;
}

static void tell_times(struct tcphs_connection *c)
{
	unsigned int at = c->side[TCPHS_CLIENT].socket ? TCPHS_CLIENT : TCPHS_SERVER;
	const struct tcphs_stay *stay;
	uint64_t syn, ended = 0;
	unsigned int side;
	bool all = true;

	stay = tcphs_connection_stay(&c->side[at], TCPHS_ESTABLISHED);
	syn = syn_ts(c, at);
	c->began = syn ? syn : c->start;
	if (stay && stay->ts) {
		c->established = stay->ts;
		if (syn && syn <= stay->ts)
			c->opened = stay->ts - syn;
	}
	/* TIME_WAIT is no part of the duration: nobody waits for it. */
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		if (!s->socket)
			continue;
		stay = tcphs_connection_stay(s, TCPHS_TIME_WAIT);
		if (!stay && s->nstates > 1 &&
		    s->states[s->nstates - 1].state == TCPHS_CLOSE)
			stay = &s->states[s->nstates - 1];
		all &= stay != NULL;
		if (stay && stay->ts > ended)
			ended = stay->ts;
	}
	if (all)
		c->ended = ended;
}

/* ---- the whole ------------------------------------------------------------ */

/*
 * What one end has of its life. Where no socket is, nothing is born: that the
 * other end's was is enough.
 */
static enum tcphs_whole whole(const struct tcphs_end *e, const struct tcphs_end *peer)
{
	bool born = e->born || (!e->socket && peer && peer->born);

	if (e->lossy || (!born && e->after_loss))
		return TCPHS_WHOLE_LOSSY;
	return born ? TCPHS_WHOLE_COMPLETE : TCPHS_WHOLE_PARTIAL;
}

/* Up to when no record of e can be lost; UINT64_MAX: none is. */
static uint64_t intact(const struct tcphs_end *e)
{
	size_t i;

	if (!e->lossy && (e->born || !e->after_loss))
		return UINT64_MAX;
	if (!e->born || e->marked)
		return 0;
	for (i = 0; i < e->records; i++)
		if (e->record[i].kind == TCPHS_LOST)
			return e->record[i].lost.since;
	return 0;
}

/* A side that sent no SYN, in a record that has all, sent no bytes. */
static void tell_silence(struct tcphs_connection *c)
{
	unsigned int side;

	if (c->whole != TCPHS_WHOLE_COMPLETE || !c->segments)
		return;
	for (side = 0; side < 2; side++) {
		struct tcphs_side *s = &c->side[side];

		if (!s->isn_known && !s->bytes_known) {
			s->bytes_known = true;
			s->bytes = 0;
		}
	}
}

static void set_host(struct tcphs_side *s, const struct tcphs_context *x)
{
	s->host = tcphs_host_of(x->hosts, s->netns);
	s->netns = tcphs_host_netns(x->hosts, s->netns);
}

/* What was recorded at the ends' hosts, and how their clocks agree. */
static void tell_hosts(struct tcphs_connection *c, const struct tcphs_context *x,
		       const struct tcphs_end *a, const struct tcphs_end *b)
{
	const struct tcphs_host *host = tcphs_host_of(x->hosts, a->netns);
	const struct tcphs_host *other = b ? tcphs_host_of(x->hosts, b->netns) : host;

	c->segments = x->segments != TCPHS_SEGMENTS_NONE;
	c->all = x->segments == TCPHS_SEGMENTS_ALL;
	c->hosts = tcphs_host_several(x->hosts);
	c->wall_offset = tcphs_host_wall(x->hosts);
	if (!c->hosts || !host || !other)
		return;
	c->clock_error = tcphs_host_error(x->hosts, host, other);
	c->segments = host->segments != TCPHS_SEGMENTS_NONE ||
		      other->segments != TCPHS_SEGMENTS_NONE;
	c->all = host->segments == TCPHS_SEGMENTS_ALL &&
		 other->segments == TCPHS_SEGMENTS_ALL;
}

struct tcphs_connection *tcphs_connection_new(const struct tcphs_context *x,
					      const struct tcphs_end *a,
					      const struct tcphs_end *b)
{
	struct tcphs_connection *c = tcphs_memory_get(1, sizeof(*c));
	struct view view[2] = { { 0 }, { 0 } };
	struct view *v[2] = { NULL, NULL };
	struct tcphs_tuple mirror;
	struct steps s = { 0 };
	unsigned int at, side;

	tcphs_address_mirror(&a->tuple, &mirror);
	c->itself = !b && tcphs_address_whole(&a->tuple) &&
		    tcphs_address_equal(&a->tuple, &mirror);
	tell_hosts(c, x, a, b);
	c->whole = whole(a, b);
	if (b && whole(b, a) > c->whole)
		c->whole = whole(b, a);
	c->doubtful = (tcphs_end_doubtful(a) && !a->closed) ||
		      (b && tcphs_end_doubtful(b) && !b->closed);
	c->intact = intact(a);
	if (b && intact(b) < c->intact)
		c->intact = intact(b);
	c->start = b && b->first < a->first ? b->first : a->first;
	at = tcphs_connection_side(a, b, &c->assumed);
	/* Few connections have more steps than records. */
	s.room = a->records + (b ? b->records : 0);
	s.step = get_steps(&s.room);
	look(&view[at], a);
	v[at] = &view[at];
	tcphs_side_tell(&c->side[at], a, view[at].entered);
	set_host(&c->side[at], x);
	if (b) {
		look(&view[!at], b);
		v[!at] = &view[!at];
		tcphs_side_tell(&c->side[!at], b, view[!at].entered);
		set_host(&c->side[!at], x);
	}
	if (c->itself) {
		uint32_t *entered = tcphs_memory_get(a->records, sizeof(*entered));

		tcphs_side_tell(&c->side[!at], a, entered);
		set_host(&c->side[!at], x);
		free(entered);
		tcphs_bytes_tell(&c->side[0], a, x);
		tcphs_bytes_tell(&c->side[1], a, x);
		draw(&s, v[at], v[at], at);
	} else {
		draw(&s, v[0], v[1], TCPHS_CLIENT);
		draw(&s, v[1], v[0], TCPHS_SERVER);
		tcphs_side_tell_remote(&c->side[!at], a);
		if (b)
			tcphs_side_tell_remote(&c->side[at], b);
		tcphs_bytes_tell(&c->side[at], a, x);
		if (b) {
			tcphs_bytes_tell(&c->side[!at], b, x);
			tcphs_bytes_tell_remote(&c->side[at], b, x);
		}
		tcphs_bytes_tell_remote(&c->side[!at], a, x);
	}
	for (side = 0; side < 2; side++) {
		if (!v[side])
			continue;
		/* Verdicts are about segments, and about states for themselves. */
		if (!x->brief)
			place_states(&s, v[side], &c->side[side], side, c->itself);
		place_resets(&s, v[side], side);
		if (!x->brief)
			place_gaps(&s, v[side], side ? v[0] : NULL, side);
		unlook(v[side]);
	}
	order(&s);
	c->steps = s.step;
	c->nsteps = s.count;
	c->room = s.room;
	if (!x->brief)
		tell_after(c);
	mark_forged(c, x);
	mark_copies(c);
	mark_losses(c, x);
	count_copies(c);
	tell_times(c);
	tell_silence(c);
	tcphs_verdict_find(c);
	if (!x->brief)
		tcphs_note_write(c, x);
	return c;
}

void tcphs_connection_free(struct tcphs_connection *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->nsteps; i++)
		free(c->steps[i].note);
	put_steps(c->steps, c->room);
	tcphs_side_free(&c->side[0]);
	tcphs_side_free(&c->side[1]);
	free(c);
}
