// SPDX-License-Identifier: GPL-2.0
/*
 * From ends to a connection: who is the client, which states each side was in after
 * each step, how long it took, whether all of it was seen.
 */
#include <errno.h>
#include <stdlib.h>

#include "bytes.h"
#include "cause.h"
#include "connection.h"
#include "copies.h"
#include "memory.h"
#include "names.h"
#include "note.h"
#include "passage.h"
#include "side.h"
#include "step.h"
#include "verdict.h"

void tcphs_connection_context(struct tcphs_context *x, const struct tcphs_header *h,
			      const struct tcphs_hosts *hosts)
{
	x->segments = h->segments;
	x->missing = h->missing;
	x->hosts = hosts;
	/* Of several hosts each has its own, by its own clock. */
	x->since = tcphs_host_several(hosts) ? 0 : h->loaded;
}

/* ---- who is who ----------------------------------------------------------- */

/* When it sent its first SYN; 0: that was not seen. */
static uint64_t first_syn(const struct tcphs_end *e)
{
	size_t i;

	for (i = 0; i < e->records; i++) {
		const struct tcphs_segment *s = &e->record[i].segment;

		if (e->record[i].kind == TCPHS_SEGMENT && s->mark & TCPHS_SEG_OUT &&
		    (s->flags & (TCPHS_SYN | TCPHS_ACK)) == TCPHS_SYN)
			return e->record[i].ts;
	}
	return e->born ? e->first : 0;
}

/* Simultaneous open: two clients; the first SYN decides. */
static unsigned int first_to_call(const struct tcphs_end *a, const struct tcphs_end *b,
				  bool *assumed)
{
	uint64_t mine = first_syn(a), other = first_syn(b);

	/* What was not seen is older than what was, mostly. */
	*assumed |= !mine || !other;
	if (!mine && !other) {
		mine = a->first;
		other = b->first;
	}
	return other < mine ? TCPHS_SERVER : TCPHS_CLIENT;
}

unsigned int tcphs_connection_side(const struct tcphs_end *a, const struct tcphs_end *b,
				   bool *assumed)
{
	if (a->role == TCPHS_ROLE_ACTIVE)
		return b && b->role == TCPHS_ROLE_ACTIVE ? first_to_call(a, b, assumed) :
							   TCPHS_CLIENT;
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

/* ---- states --------------------------------------------------------------- */
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
		uint64_t seen = side == step->from ? step->sent : step->received;
		uint64_t now = seen ? seen : step->ts;

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

/* ---- times ---------------------------------------------------------------- */

bool tcphs_connection_lasted(const struct tcphs_connection *c, uint64_t *ns)
{
	if (!c->began || !c->ended)
		return false;
	*ns = c->ended - c->began;
	return true;
}

static const struct tcphs_step *first_syn_step(const struct tcphs_connection *c,
					       unsigned int from)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && step->from == from &&
		    (step->segment.flags & (TCPHS_SYN | TCPHS_ACK)) == TCPHS_SYN)
			return step;
	}
	return NULL;
}

/* From SYN_SENT it went on without a SYN of the other end's, or that one sent none. */
static bool may_have_crossed(const struct tcphs_connection *c)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];
	size_t i;

	if (c->itself || (server->nstates && server->states[0].state == TCPHS_LISTEN))
		return false;
	for (i = 1; i < client->nstates; i++)
		if (client->states[i - 1].state == TCPHS_SYN_SENT && client->states[i].ts)
			return client->states[i].state == TCPHS_SYN_RECV;
	return true;
}

/*
 * When the first SYN left the client, or came to the server that is alone here; 0 unseen.
 * Where records are missing, one that is there may be a copy: who sent it says so.
 */
static uint64_t syn_ts(const struct tcphs_connection *c, unsigned int at)
{
	const struct tcphs_step *syn = first_syn_step(c, TCPHS_CLIENT);
	bool complete = c->whole == TCPHS_WHOLE_COMPLETE;
	const struct tcphs_step *crossing;
	const struct tcphs_stay *stay;

	if (!complete && c->segments) {
		if (!syn)
			return 0;
		/* It may have left a client here, before the records. */
		if (at == TCPHS_SERVER && c->whole == TCPHS_WHOLE_PARTIAL)
			return 0;
		if (at == TCPHS_SERVER)
			return syn->received <= c->intact ? syn->received : 0;
		crossing = first_syn_step(c, TCPHS_SERVER);
		if (syn->segment.mark & TCPHS_SEG_RETRANSMIT ||
		    (may_have_crossed(c) &&
		     (!crossing || !crossing->sent ||
		      crossing->segment.mark & TCPHS_SEG_RETRANSMIT)))
			return 0;
	}
	if (syn)
		return at == TCPHS_CLIENT ? syn->sent : syn->received;
	stay = tcphs_connection_stay(&c->side[at], at == TCPHS_CLIENT ?
				     TCPHS_SYN_SENT : TCPHS_SYN_RECV);
	return stay ? stay->ts : 0;
}

/* Where records were lost, CLOSE may stand for what a mini-socket took over. */
static bool goes_on_unseen(const struct tcphs_connection *c, const struct tcphs_side *s)
{
	unsigned int old = s->fate.known ? s->fate.old : 0;

	return c->whole == TCPHS_WHOLE_LOSSY && !s->fate.error &&
	       (old == TCPHS_FIN_WAIT1 || old == TCPHS_FIN_WAIT2 || old == TCPHS_CLOSING);
}

/* When it was over for this side; 0 not yet, or unseen. */
static uint64_t ended_at(const struct tcphs_connection *c, const struct tcphs_side *s)
{
	/* TIME_WAIT is no part of the duration: nobody waits for it. */
	const struct tcphs_stay *stay = tcphs_connection_stay(s, TCPHS_TIME_WAIT);
	const struct tcphs_stay *last = s->nstates > 1 ? &s->states[s->nstates - 1] : NULL;

	if (stay)
		return stay->ts;
	if (!last || last->state != TCPHS_CLOSE || last[-1].state == TCPHS_TIME_WAIT ||
	    goes_on_unseen(c, s))
		return 0;
	return last->ts;
}

/*
 * All of its sockets are here. Where records were lost, one that nothing is left of would
 * have told of itself before the other one heard of it.
 */
static bool has_all_sockets(const struct tcphs_connection *c, uint64_t by)
{
	return c->whole != TCPHS_WHOLE_LOSSY || c->itself || by <= c->intact ||
	       (c->side[0].socket && c->side[1].socket);
}

/* A socket had heard of the other end by then; UINT64_MAX: not, as far as is known. */
static uint64_t heard_by(const struct tcphs_connection *c, uint64_t ended)
{
	unsigned int side;

	for (side = 0; side < 2 && !c->established; side++)
		if (c->side[side].fate.error == ECONNREFUSED ||
		    c->side[side].fate.error == ECONNRESET)
			return ended;
	return c->established ? c->established : UINT64_MAX;
}

static void tell_times(struct tcphs_connection *c)
{
	unsigned int at = c->side[TCPHS_CLIENT].socket ? TCPHS_CLIENT : TCPHS_SERVER;
	bool complete = c->whole == TCPHS_WHOLE_COMPLETE;
	uint64_t syn = syn_ts(c, at), ended = 0, ts;
	const struct tcphs_stay *stay;
	unsigned int side;
	bool all = true, restored;

	stay = tcphs_connection_stay(&c->side[at], TCPHS_ESTABLISHED);
	if (stay)
		c->established = stay->ts;
	/* Without a SYN: its beginning was elsewhere. */
	restored = complete && c->open == TCPHS_OPEN_UNSEEN && c->established;
	if (complete && !restored)
		c->began = syn ? syn : c->start;
	else if (!complete)
		c->began = syn;
	for (side = 0; side < 2; side++) {
		if (!c->side[side].socket)
			continue;
		ts = ended_at(c, &c->side[side]);
		all &= ts != 0;
		if (ts > ended)
			ended = ts;
	}
	if (all && has_all_sockets(c, heard_by(c, ended)))
		c->ended = ended;
	/* A client that nothing is left of saw it otherwise. */
	if (!restored && syn && syn <= c->established &&
	    (at == TCPHS_CLIENT || has_all_sockets(c, c->established)))
		c->opened = c->established - syn;
}

/* ---- the whole ------------------------------------------------------------ */

/* What came to the other end at `ts` may have left e, where records begin, before them. */
static bool left_before(const struct tcphs_context *x, const struct tcphs_end *e, uint64_t ts)
{
	const struct tcphs_host *host = tcphs_host_of(x->hosts, e->netns);
	uint64_t since = tcphs_host_several(x->hosts) && host ? host->begun : x->since;

	return since && ts < since + TCPHS_UNDER_WAY;
}

/*
 * What one end has of its life. Where no socket is, nothing is born: that the
 * other end's was is enough, unless a socket was there, and its SYN was not seen.
 */
static enum tcphs_whole whole(const struct tcphs_context *x, const struct tcphs_end *e,
			      const struct tcphs_end *peer)
{
	bool born = e->born || (!e->socket && e->role != TCPHS_ROLE_ACTIVE && peer &&
				peer->born && !e->after_loss &&
				!left_before(x, e, peer->first));

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
	/* But one that was restored: it had sent its SYN elsewhere. */
	for (side = 0; side < 2; side++)
		if (tcphs_connection_stay(&c->side[side], TCPHS_ESTABLISHED))
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
	if ((host->clock.uneven || other->clock.uneven) && c->clock_error != UINT64_MAX)
		c->slack = c->clock_error;
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
	struct tcphs_sights sights[2] = { { 0 }, { 0 } };
	struct tcphs_sights *v[2] = { NULL, NULL };
	struct tcphs_tuple mirror;
	struct tcphs_steps s;
	unsigned int at, side;

	tcphs_address_mirror(&a->tuple, &mirror);
	c->itself = !b && tcphs_address_whole(&a->tuple) &&
		    tcphs_address_equal(&a->tuple, &mirror);
	tell_hosts(c, x, a, b);
	c->whole = whole(x, a, b);
	if (b && whole(x, b, a) > c->whole)
		c->whole = whole(x, b, a);
	c->doubtful = (tcphs_end_doubtful(a) && !a->closed) ||
		      (b && tcphs_end_doubtful(b) && !b->closed);
	c->intact = intact(a);
	if (b && intact(b) < c->intact)
		c->intact = intact(b);
	c->start = b && b->first < a->first ? b->first : a->first;
	at = tcphs_connection_side(a, b, &c->assumed);
	/* Few connections have more steps than records. */
	tcphs_step_begin(&s, a->records + (b ? b->records : 0));
	tcphs_step_look(&sights[at], a);
	v[at] = &sights[at];
	tcphs_side_tell(&c->side[at], a, sights[at].entered);
	set_host(&c->side[at], x);
	if (b) {
		tcphs_step_look(&sights[!at], b);
		v[!at] = &sights[!at];
		tcphs_side_tell(&c->side[!at], b, sights[!at].entered);
		set_host(&c->side[!at], x);
	}
	if (c->itself) {
		uint32_t *entered = tcphs_memory_get(a->records, sizeof(*entered));

		tcphs_side_tell(&c->side[!at], a, entered);
		set_host(&c->side[!at], x);
		free(entered);
		tcphs_bytes_tell(&c->side[0], a, x);
		tcphs_bytes_tell(&c->side[1], a, x);
		tcphs_step_draw(&s, v[at], v[at], at, 0);
	} else {
		tcphs_step_draw(&s, v[0], v[1], TCPHS_CLIENT, c->slack);
		tcphs_step_draw(&s, v[1], v[0], TCPHS_SERVER, c->slack);
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
			tcphs_cause_tell(&s, v[side], &c->side[side], side, c->itself);
		tcphs_step_add_resets(&s, v[side], side);
		if (!x->brief)
			tcphs_step_add_gaps(&s, v[side], side ? v[0] : NULL, side);
		tcphs_step_unlook(v[side]);
	}
	tcphs_step_order(&s);
	c->steps = s.step;
	c->nsteps = s.count;
	c->room = s.room;
	if (!x->brief)
		tell_after(c);
	tcphs_passage_find_forged(c, x);
	tcphs_copies_mark(c);
	tcphs_passage_find_lost(c, x);
	tcphs_copies_count(c);
	tell_silence(c);
	tcphs_verdict_find(c);
	tell_times(c);
	if (!x->brief)
		tcphs_note_write(c, x);
	return c;
}

void tcphs_connection_free(struct tcphs_connection *c)
{
	if (!c)
		return;
	tcphs_step_free(c->steps, c->nsteps, c->room);
	tcphs_side_free(&c->side[0]);
	tcphs_side_free(&c->side[1]);
	free(c);
}
