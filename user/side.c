// SPDX-License-Identifier: GPL-2.0
/*
 * One side of a connection. The kernel's transitions become the states that the
 * side really was in:
 *
 * - A request mini-socket's SYN_RECV begins when the SYN comes in; the birth of
 *   the child afterwards is the same state again.
 * - FIN_WAIT2 -> CLOSE and CLOSING -> CLOSE of the full socket mean that a
 *   TIME_WAIT mini-socket goes on, if one says so; else CLOSE is meant.
 * - old == new is nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "names.h"
#include "side.h"

/* ---- states --------------------------------------------------------------- */

static uint32_t enter(struct tcphs_side *side, size_t *room, uint64_t ts,
		      unsigned int state, unsigned int via)
{
	side->states = tcphs_memory_grow(side->states, side->nstates, room,
					 sizeof(*side->states));
	side->states[side->nstates] = (struct tcphs_stay){ ts, state, via };
	return side->nstates++;
}

/*
 * A mini-socket goes on after the full socket's CLOSE in record i; or the child, whose
 * birth was not seen, after that of its request.
 */
static bool goes_on(const struct tcphs_end *e, size_t i)
{
	bool request = e->record[i].transition.via == TCPHS_VIA_REQUEST;
	const struct tcphs_transition *t;

	for (i++; i < e->records; i++) {
		if (e->record[i].kind != TCPHS_TRANSITION)
			continue;
		t = &e->record[i].transition;
		if (request && t->via == TCPHS_VIA_TRACEPOINT)
			return true;
		if (t->via == TCPHS_VIA_TIMEWAIT)
			return t->new == TCPHS_TIME_WAIT || t->new == TCPHS_FIN_WAIT2;
		if (t->old != t->new)
			return false;
	}
	return false;
}

/* When the SYN came that the request in record i answers. */
static uint64_t syn_time(const struct tcphs_end *e, size_t i)
{
	const struct tcphs_transition *t = &e->record[i].transition;
	size_t k;

	for (k = i; k-- > 0;) {
		const struct tcphs_record *r = &e->record[k];

		if (r->kind != TCPHS_SEGMENT || r->segment.mark & TCPHS_SEG_OUT ||
		    (r->segment.flags & (TCPHS_SYN | TCPHS_ACK)) != TCPHS_SYN)
			continue;
		if (!(t->has & TCPHS_HAS_IRS) || t->nr.irs == r->segment.seq)
			return r->ts;
	}
	return e->record[i].ts;
}

/*
 * The birth of a child in record i is not the beginning of its SYN_RECV: that was the
 * request's, which is not in the records. (After a SYN cookie there was none.)
 */
static bool began_unseen(const struct tcphs_end *e, const struct tcphs_transition *t)
{
	return t->old == TCPHS_LISTEN && t->new == TCPHS_SYN_RECV &&
	       t->via == TCPHS_VIA_TRACEPOINT && !e->cookie && (!e->born || e->lossy);
}

/* When it did begin, by what found LISTEN: its SYN, or what brought a cookie; 0 unseen. */
static uint64_t began(const struct tcphs_end *e, size_t i)
{
	size_t k;

	for (k = i; k-- > 0;) {
		const struct tcphs_segment *s = &e->record[k].segment;

		if (e->record[k].kind == TCPHS_SEGMENT && !(s->mark & TCPHS_SEG_OUT) &&
		    s->state == TCPHS_LISTEN)
			return s->flags & TCPHS_SYN ? e->record[k].ts : e->record[i].ts;
	}
	return 0;
}

static void tell_states(struct tcphs_side *side, const struct tcphs_end *e,
			uint32_t *entered)
{
	unsigned int now = TCPHS_STATE_UNKNOWN;
	/* As many as a life mostly has. */
	size_t room = 8, i;

	side->states = tcphs_memory_room(room, sizeof(*side->states));
	for (i = 0; i < e->records; i++) {
		const struct tcphs_transition *t = &e->record[i].transition;
		uint64_t ts = e->record[i].ts;

		entered[i] = TCPHS_SIDE_NO_STATE;
		if (e->record[i].kind != TCPHS_TRANSITION)
			continue;
		if (!side->nstates) {
			if (began_unseen(e, t))
				ts = began(e, i);
			now = ts ? t->old : t->new;
			enter(side, &room, 0, now, 0);
		}
		if (t->old == t->new || t->new == now)
			continue;
		/* A socket took over. */
		if (t->new == TCPHS_CLOSE && t->via == TCPHS_VIA_REQUEST && e->full)
			continue;
		/* The child's birth, when its request was SYN_RECV already. */
		if (t->old == TCPHS_LISTEN && now != TCPHS_LISTEN)
			continue;
		if (t->new == TCPHS_CLOSE && t->via != TCPHS_VIA_TIMEWAIT && goes_on(e, i)) {
			/* At FIN_WAIT1 the kernel passes through FIN_WAIT2. */
			continue;
		}
		/* Records are missing in between: when, nobody saw. */
		if (t->old != now && now != TCPHS_CLOSE)
			enter(side, &room, 0, t->old, 0);
		if (t->via == TCPHS_VIA_REQUEST && t->old == TCPHS_LISTEN)
			ts = syn_time(e, i);
		entered[i] = enter(side, &room, ts, t->new, t->via);
		now = t->new;
	}
	if (!side->nstates && e->socket && e->state)
		enter(side, &room, 0, e->state, 0);
}

/* ---- owner ---------------------------------------------------------------- */

static void set_owner(struct tcphs_owner *o, uint32_t pid, uint32_t uid,
		      const char *comm)
{
	o->known = true;
	o->pid = pid;
	o->uid = uid;
	memcpy(o->comm, comm, sizeof(o->comm));
}

/*
 * The owner is the process that called connect(), or the one that accept() gave
 * the connection to, or else the one that listened. Who closed is told beside
 * it when that was another (a forked child, a passed descriptor).
 */
static void tell_owner(struct tcphs_side *side, const struct tcphs_end *e)
{
	size_t i;

	side->uid = TCPHS_UID_UNKNOWN;
	for (i = 0; i < e->records; i++) {
		const struct tcphs_record *r = &e->record[i];
		const struct tcphs_transition *t = &r->transition;

		if (r->kind == TCPHS_ACCEPT && r->accept.pid) {
			set_owner(&side->owner, r->accept.pid, r->accept.uid,
				  r->accept.comm);
			side->cgroup = r->accept.cgroup;
			side->uid = r->accept.uid;
			side->mark = r->accept.mark;
			side->mark_known = true;
		}
		if (r->kind != TCPHS_TRANSITION)
			continue;
		if (t->uid != TCPHS_UID_UNKNOWN)
			side->uid = t->uid;
		if (t->has & TCPHS_HAS_BIRTH && !side->mark_known) {
			side->cgroup = t->birth.cgroup;
			side->mark = t->birth.mark;
			side->mark_known = true;
		}
		if (!(t->has & TCPHS_HAS_OWNER))
			continue;
		if (t->new == TCPHS_SYN_SENT || t->new == TCPHS_LISTEN)
			set_owner(&side->owner, t->pid, t->uid, t->comm);
		else if (t->new == TCPHS_FIN_WAIT1 || t->new == TCPHS_LAST_ACK ||
			 t->new == TCPHS_CLOSE)
			set_owner(&side->closer, t->pid, t->uid, t->comm);
	}
	/* Where all was seen, nobody else had it. */
	if (!side->owner.known && e->born && !e->lossy)
		side->owner = e->listener.known ? e->listener : side->closer;
	if (side->owner.known && side->closer.pid == side->owner.pid)
		side->closer.known = false;
}

/* ---- how it ended --------------------------------------------------------- */

/*
 * The RST that answers an unacceptable ACK in SYN_SENT or SYN_RECV ends nothing, and the
 * socket goes on (RFC 9293, 3.10.7.3, 3.10.7.4).
 */
static bool answers_while_opening(const struct tcphs_reset *reset)
{
	return reset->out && reset->fact & TCPHS_FACT_REPLY &&
	       (reset->state == TCPHS_SYN_SENT || reset->state == TCPHS_SYN_RECV);
}

static void tell_rst(struct tcphs_rst *rst, const struct tcphs_record *r)
{
	const struct tcphs_reset *reset = &r->reset;

	if (rst->known || answers_while_opening(reset))
		return;
	*rst = (struct tcphs_rst){
		.known = true,
		.state = reset->state,
		.reason = reset->reason,
		.fact = reset->fact,
		.probes = reset->probes,
		.error = reset->error,
		.unread = reset->unread,
		.ts = r->ts,
	};
}

static void tell_fate(struct tcphs_side *side, const struct tcphs_end *e)
{
	size_t i;

	for (i = 0; i < e->records; i++) {
		const struct tcphs_record *r = &e->record[i];
		const struct tcphs_transition *t = &r->transition;

		if (r->kind == TCPHS_RESET)
			tell_rst(r->reset.out ? &side->rst_sent : &side->rst_got, r);
		if (r->kind != TCPHS_TRANSITION || t->old == t->new ||
		    t->has & TCPHS_HAS_BIRTH)
			continue;
		if (t->new == TCPHS_CLOSE_WAIT && t->has & TCPHS_HAS_SND_NXT) {
			side->half_known = true;
			side->half_sent = t->nr.snd_nxt;
		}
		if (t->new == TCPHS_FIN_WAIT2 && t->has & TCPHS_HAS_RCV_NXT) {
			side->half_got_known = true;
			side->half_got = t->nr.rcv_nxt;
		}
		if (t->new == TCPHS_CLOSE && t->via != TCPHS_VIA_TIMEWAIT &&
		    !goes_on(e, i))
			side->fate = (struct tcphs_fate){
				.known = true,
				.process = t->fact & TCPHS_FACT_PROCESS ||
					   t->has & TCPHS_HAS_OWNER,
				.dead = t->fact & TCPHS_FACT_DEAD,
				.old = t->old,
				.timeouts = t->timeouts,
				.error = t->error,
				.ts = r->ts,
			};
	}
}

/*
 * The end before it was one of another connection: where records are missing it may be
 * what is left of this one's beginning.
 */
static bool is_another(const struct tcphs_end *e)
{
	const struct tcphs_before *b = &e->before;

	if (e->born ? e->marked : e->lossy || e->after_loss)
		return false;
	/* A cookie may be the same again. */
	return e->cookie || !b->iss_known || !e->iss_known || b->iss != e->iss;
}

void tcphs_side_tell(struct tcphs_side *side, const struct tcphs_end *e,
		     uint32_t *entered)
{
	memcpy(side->address, e->tuple.local, sizeof(side->address));
	side->port = e->tuple.lport;
	side->inet6 = e->tuple.inet6;
	side->mapped = e->mapped;
	side->seen = true;
	side->socket = e->socket;
	side->closed = e->closed;
	side->born = e->born;
	side->cookie = e->cookie;
	side->netns = e->netns;
	side->isn_known = e->iss_known;
	side->isn = e->iss;
	if (is_another(e))
		side->before = e->before;
	if (!e->in_table && e->records) {
		/* A connect() that never got so far as to have a port. */
		struct tcphs_tuple t;

		tcphs_address_tuple(&e->record[0], &t);
		side->inet6 = t.inet6;
		memcpy(side->address, t.local, sizeof(side->address));
	}
	tell_states(side, e, entered);
	tell_owner(side, e);
	tell_fate(side, e);
}

/* What a side says of the other one: its address and its ISN. */
void tcphs_side_tell_remote(struct tcphs_side *side, const struct tcphs_end *peer)
{
	if (!side->seen) {
		struct tcphs_tuple t = peer->tuple;

		if (!peer->in_table && peer->records)
			tcphs_address_tuple(&peer->record[0], &t);
		memcpy(side->address, t.remote, sizeof(side->address));
		side->port = t.rport;
		side->inet6 = t.inet6;
	}
	if (!side->isn_known && peer->irs_known) {
		side->isn_known = true;
		side->isn = peer->irs;
	}
}

void tcphs_side_free(struct tcphs_side *side)
{
	free(side->states);
	side->states = NULL;
}
