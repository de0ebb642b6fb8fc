// SPDX-License-Identifier: GPL-2.0
/*
 * Which record belongs to which end. What happened in a connection is for
 * connection.c and verdict.c to say.
 *
 * `sock` names memory, not a connection: the kernel uses it again. A birth, or
 * a tuple that differs, begins a new end; DESTROY ends the name's meaning.
 */
#include <stdlib.h>

#include "due.h"
#include "flow.h"
#include "host.h"
#include "listener.h"
#include "memory.h"
#include "names.h"
#include "pair.h"
#include "stranger.h"

struct tcphs_flow {
	struct tcphs_ends ends;
	struct tcphs_due due;
	unsigned long numbered;

	/* The record that was fed last, to know it again. */
	const struct tcphs_record *last;
	uint64_t last_n;
};

/* ---- attaching records ---------------------------------------------------- */

/* It begins within a gap: its first record is not all that it should have. */
static void mark_begin(struct tcphs_flow *f, struct tcphs_end *e)
{
	const struct tcphs_record *gap = tcphs_end_gap(&f->ends, &e->record[0]);
	struct tcphs_record mark;

	if (!gap)
		return;
	mark = *gap;
	mark.ts = e->record[0].ts;
	tcphs_end_append(&f->ends, e, &mark);
	e->marked = true;
}

/* Nothing but this many records has come of it. */
static bool has_only(const struct tcphs_end *e, size_t records)
{
	return e->records == records + e->marked;
}

/* The SYN that came was no birth: the first that its socket says is of a later time. */
static void check_birth(struct tcphs_flow *f, struct tcphs_end *e,
			const struct tcphs_transition *t)
{
	if (t->old == TCPHS_CLOSE || t->old == TCPHS_LISTEN)
		return;
	e->born = false;
	if (t->old != TCPHS_SYN_SENT)
		return;
	/* It came to one that called, not to one that listened. */
	e->role = TCPHS_ROLE_ACTIVE;
	tcphs_listener_uncount(&f->ends, e);
}

static void attach(struct tcphs_flow *f, struct tcphs_end *e,
		   const struct tcphs_record *r)
{
	f->ends.fed = e;
	if (e->stub) {
		e->last = r->ts;
		tcphs_end_enlist(&f->ends.stubs, e);
		if (r->kind == TCPHS_TRANSITION)
			tcphs_end_learn(e, r);
		if (e->closed)
			tcphs_end_unbind_all(&f->ends, e);
		return;
	}
	if (!e->socket && e->born && r->kind == TCPHS_TRANSITION)
		check_birth(f, e, &r->transition);
	tcphs_end_append(&f->ends, e, r);
	tcphs_end_learn(e, r);
	if (e->records == 1)
		mark_begin(f, e);
	if (!e->peer)
		tcphs_pair_find(&f->ends, e, false);
	tcphs_due_check(&f->due, e, r->ts);
}

static struct tcphs_end *new_end_at(struct tcphs_flow *f, const struct tcphs_record *r,
				    const struct tcphs_tuple *t, enum tcphs_role role)
{
	struct tcphs_end *e = tcphs_end_new(&f->ends, r);

	e->role = role;
	tcphs_end_set_tuple(&f->ends, e, t);
	return e;
}

/* The records of `from` come after those of `to`; `from` is deleted. */
static void merge(struct tcphs_flow *f, struct tcphs_end *to, struct tcphs_end *from)
{
	uint64_t sock[4];
	size_t i;

	for (i = 0; i < 4; i++)
		sock[i] = from->binding[i].sock;
	for (i = 0; i < from->records; i++) {
		/* What marks its beginning marks no beginning any more. */
		if (from->marked && i == 1)
			continue;
		tcphs_end_append(&f->ends, to, &from->record[i]);
		if (from->record[i].kind == TCPHS_TRANSITION)
			tcphs_end_learn(to, &from->record[i]);
	}
	to->lossy |= from->lossy;
	to->after_loss &= from->after_loss;
	if (!to->asked) {
		to->asked = from->asked;
		to->waits = from->waits;
	}
	tcphs_due_forget(&f->due, from);
	tcphs_end_delete(&f->ends, from);
	for (i = 0; i < 4; i++)
		tcphs_end_bind(&f->ends, to, sock[i]);
}

/* Take the last record, a SYN, away from `from`. */
static void move_syn(struct tcphs_flow *f, struct tcphs_end *to, struct tcphs_end *from,
		     uint32_t seq)
{
	const struct tcphs_record *r;

	if (!from || !from->records)
		return;
	/* Behind the only one a mark may stand. */
	if (from->marked && has_only(from, 1)) {
		from->records--;
		from->marked = false;
	}
	r = &from->record[from->records - 1];
	if (r->kind == TCPHS_SEGMENT && !(r->segment.mark & TCPHS_SEG_OUT) &&
	    (r->segment.flags & (TCPHS_SYN | TCPHS_ACK)) == TCPHS_SYN &&
	    r->segment.seq == seq) {
		tcphs_end_append(&f->ends, to, r);
		from->records--;
		to->asked = from->asked;
		to->waits = from->waits;
		from->asked = 0;
	}
}

/* ---- listeners ------------------------------------------------------------ */

static void feed_listener(struct tcphs_flow *f, const struct tcphs_record *r,
			  const struct tcphs_tuple *t)
{
	const struct tcphs_transition *tr = &r->transition;
	struct tcphs_end *e = NULL;

	if (tr->old == TCPHS_CLOSE && tr->new == TCPHS_LISTEN)
		tcphs_end_unbind(&f->ends, r->sock);
	else
		e = tcphs_end_of_sock(&f->ends, r, t);
	if (e && e->role != TCPHS_ROLE_LISTENER)
		e = NULL;
	if (!e && tr->old == TCPHS_LISTEN) {
		/* Only SYNs told of it so far. */
		e = tcphs_listener_nameless(&f->ends, r->netns, t);
		if (e)
			tcphs_end_bind(&f->ends, e, r->sock);
	}
	if (!e) {
		e = tcphs_end_new(&f->ends, r);
		tcphs_end_enlist(&f->ends.listeners, e);
		e->role = TCPHS_ROLE_LISTENER;
		e->born = tr->old == TCPHS_CLOSE;
		tcphs_end_bind(&f->ends, e, r->sock);
	}
	tcphs_listener_set(&f->ends, e, t);
	tcphs_end_append(&f->ends, e, r);
	e->socket = true;
	e->state = tr->new;
	e->closed = tr->new == TCPHS_CLOSE;
	tcphs_due_check(&f->due, e, r->ts);
}

/* ---- transitions ---------------------------------------------------------- */

/* A socket in this state had lived before: what finds it is no beginning. */
static bool lives(unsigned int state)
{
	switch (state) {
	case TCPHS_STATE_UNKNOWN:
	case TCPHS_CLOSE:
	case TCPHS_LISTEN:
	case TCPHS_FIN_WAIT2:
	case TCPHS_TIME_WAIT:
		return false;
	}
	return true;
}

/*
 * An end that waits for its full socket: a request, or only segments (a SYN
 * cookie leaves nothing else).
 */
static bool awaits_child(const struct tcphs_end *e, const struct tcphs_record *r)
{
	const struct tcphs_transition *t = &r->transition;
	bool numbers = r->kind == TCPHS_TRANSITION && !(t->has & TCPHS_HAS_BIRTH);

	if (e->stub || e->full)
		return false;
	/* Its birth and what else its socket said were lost: that is missed here. */
	if (e->born && e->role == TCPHS_ROLE_ACTIVE)
		return false;
	/*
	 * A RST of its own may be all that was seen, or the end of its request: with Fast
	 * Open the child is the older one by then.
	 */
	if (e->closed && (e->born || e->socket) && !(e->socket && (e->lossy || e->after_loss)) &&
	    !(e->role == TCPHS_ROLE_PASSIVE && !e->born && !e->mini &&
	      r->kind == TCPHS_TRANSITION && lives(t->old)))
		return false;
	if (numbers && t->has & TCPHS_HAS_IRS && e->irs_known && t->nr.irs != e->irs)
		return false;
	if (numbers && t->has & TCPHS_HAS_ISS && e->iss_known && t->nr.iss != e->iss)
		return false;
	return true;
}

/*
 * The tuple of e, a socket whose birth did not tell it, is known now. If its
 * request, or the segments before it, are known already, it is the same end.
 */
static struct tcphs_end *settle(struct tcphs_flow *f, struct tcphs_end *e,
				const struct tcphs_record *r,
				const struct tcphs_tuple *t)
{
	struct tcphs_end *m;

	if (e->in_table || !tcphs_address_whole(t))
		return e;
	if (e->role == TCPHS_ROLE_PASSIVE) {
		m = tcphs_end_newest(&f->ends, t, r->netns);
		if (m && m != e && m->role != TCPHS_ROLE_ACTIVE && awaits_child(m, r)) {
			if (m->cookie) {
				struct tcphs_end *l = tcphs_listener_find(&f->ends, r->netns, t);

				if (l)
					l->counts.cookies_accepted++;
			}
			m->role = TCPHS_ROLE_PASSIVE;
			merge(f, m, e);
			tcphs_listener_owner(&f->ends, m);
			return m;
		}
	}
	if (e->role == TCPHS_ROLE_ACTIVE && e->lossy) {
		m = tcphs_end_newest(&f->ends, t, r->netns);
		/* Its SYN, which tells the port, was lost: what came next did not. */
		if (m && m != e && !m->born && !m->socket && awaits_child(m, r)) {
			m->role = TCPHS_ROLE_ACTIVE;
			m->born = e->born;
			merge(f, m, e);
			return m;
		}
	}
	tcphs_end_set_tuple(&f->ends, e, t);
	if (e->role == TCPHS_ROLE_PASSIVE)
		tcphs_listener_owner(&f->ends, e);
	return e;
}

static void feed_birth(struct tcphs_flow *f, const struct tcphs_record *r,
		       const struct tcphs_tuple *t, enum tcphs_role role)
{
	struct tcphs_end *e;

	tcphs_end_unbind(&f->ends, r->sock);
	e = tcphs_end_new(&f->ends, r);
	e->role = role;
	e->born = true;
	tcphs_end_bind(&f->ends, e, r->sock);
	attach(f, e, r);
	/*
	 * A socket that connects again still has the port of its last
	 * connection here: what is said next counts.
	 */
	if (role != TCPHS_ROLE_ACTIVE)
		settle(f, e, r, t);
}

static void feed_request(struct tcphs_flow *f, const struct tcphs_record *r,
			 const struct tcphs_tuple *t)
{
	const struct tcphs_transition *tr = &r->transition;
	bool birth = tr->old == TCPHS_LISTEN;
	struct tcphs_end *e, *old;

	if (birth)
		tcphs_end_unbind(&f->ends, r->sock);
	e = birth ? NULL : tcphs_end_of_sock(&f->ends, r, t);
	if (!e) {
		old = tcphs_end_newest(&f->ends, t, r->netns);
		if (old && old->role != TCPHS_ROLE_ACTIVE && awaits_child(old, r)) {
			e = old;
		} else {
			if (!birth && old && old->full)
				return;	/* its child has taken over */
			e = new_end_at(f, r, t, TCPHS_ROLE_PASSIVE);
			if (tr->has & TCPHS_HAS_IRS)
				move_syn(f, e, old, tr->nr.irs);
		}
	}
	e->role = TCPHS_ROLE_PASSIVE;
	if (birth) {
		e->born = true;
		if (tr->queues.listener) {
			tcphs_listener_meet(&f->ends, e, r, t, tr->queues.listener);
			tcphs_listener_name(&f->ends, e, tr->queues.listener);
		}
	}
	tcphs_listener_owner(&f->ends, e);
	tcphs_end_bind(&f->ends, e, r->sock);
	attach(f, e, r);
	if (tr->new == TCPHS_CLOSE)
		tcphs_end_unbind(&f->ends, r->sock);
}

/*
 * An end of which nothing else is known has just come to its end: behind a SYN
 * that takes the port pair over, which stays the newest.
 */
static struct tcphs_end *put_behind(struct tcphs_flow *f, const struct tcphs_record *r,
				    const struct tcphs_tuple *t)
{
	struct tcphs_end *syn = tcphs_end_newest(&f->ends, t, r->netns);
	struct tcphs_end *e = new_end_at(f, r, t, TCPHS_ROLE_UNKNOWN);

	if (syn && !syn->socket && !syn->stub) {
		tcphs_table_remove(&f->ends.by_tuple, &syn->by_tuple);
		tcphs_table_add(&f->ends.by_tuple, &syn->by_tuple, tcphs_address_hash(t));
	}
	return e;
}

static void feed_timewait(struct tcphs_flow *f, const struct tcphs_record *r,
			  const struct tcphs_tuple *t)
{
	struct tcphs_end *e = tcphs_end_of_sock(&f->ends, r, t);

	if (!e || e->role == TCPHS_ROLE_LISTENER) {
		/* Behind a SYN that may be about to take the port pair over. */
		for (e = tcphs_end_newest(&f->ends, t, r->netns); e; e = tcphs_end_older(e)) {
			if (e->state == TCPHS_TIME_WAIT || e->state == TCPHS_FIN_WAIT2)
				break;
			if (e->state == TCPHS_CLOSE && r->transition.new != TCPHS_CLOSE)
				break;
			/* Only segments of it are left. */
			if (!e->socket && e->role == TCPHS_ROLE_UNKNOWN && !e->stub)
				break;
			/* What led here was lost; a port pair is one socket's. */
			if (e->lossy && e->socket)
				break;
		}
	}
	if (!e) {
		if (r->transition.new == TCPHS_CLOSE && !tcphs_address_whole(t))
			return;
		e = r->transition.new == TCPHS_CLOSE ?
			    put_behind(f, r, t) :
			    new_end_at(f, r, t, TCPHS_ROLE_UNKNOWN);
	}
	if (r->transition.new != TCPHS_CLOSE)
		tcphs_end_bind(&f->ends, e, r->sock);
	attach(f, e, r);
	if (r->transition.new == TCPHS_CLOSE)
		tcphs_end_unbind(&f->ends, r->sock);
}

/*
 * Two segments that complete the same handshake, on two CPUs at once, each make
 * a child. One is hashed and lives on; the other goes back the moment it is
 * born, without an error and without anybody's doing: it was never an end.
 */
static bool lost_race(const struct tcphs_end *e, const struct tcphs_transition *t)
{
	return e->role == TCPHS_ROLE_PASSIVE && has_only(e, 1) &&
	       t->old == TCPHS_SYN_RECV && t->new == TCPHS_CLOSE && !t->error &&
	       !(t->fact & (TCPHS_FACT_PROCESS | TCPHS_FACT_DEAD));
}

static void feed_transition(struct tcphs_flow *f, const struct tcphs_record *r,
			    const struct tcphs_tuple *t)
{
	const struct tcphs_transition *tr = &r->transition;
	struct tcphs_end *e;

	if (tr->via == TCPHS_VIA_REQUEST) {
		feed_request(f, r, t);
		return;
	}
	if (tr->via == TCPHS_VIA_TIMEWAIT) {
		feed_timewait(f, r, t);
		return;
	}
	if (tr->new == TCPHS_LISTEN ||
	    (tr->old == TCPHS_LISTEN && tr->new != TCPHS_SYN_RECV)) {
		feed_listener(f, r, t);
		return;
	}
	if (tr->old == TCPHS_CLOSE && tr->new == TCPHS_SYN_SENT) {
		feed_birth(f, r, t, TCPHS_ROLE_ACTIVE);
		return;
	}
	if (tr->old == TCPHS_LISTEN) {
		feed_birth(f, r, t, TCPHS_ROLE_PASSIVE);
		return;
	}
	e = tcphs_end_of_sock(&f->ends, r, t);
	/* A socket that was closed does not go on: this is another one. */
	if (e && (e->role == TCPHS_ROLE_LISTENER ||
		  (e->state == TCPHS_CLOSE && tr->old != TCPHS_CLOSE) ||
		  (e->lossy && tcphs_stranger_transition(e, tr))))
		e = NULL;
	if (e && lost_race(e, tr)) {
		tcphs_due_forget(&f->due, e);
		tcphs_end_delete(&f->ends, e);
		return;
	}
	if (e) {
		e = settle(f, e, r, t);
	} else {
		/* close() of a socket that never was connected */
		if (tr->old == tr->new && tr->new == TCPHS_CLOSE)
			return;
		e = tcphs_end_newest(&f->ends, t, r->netns);
		if (!e || !awaits_child(e, r))
			e = new_end_at(f, r, t, TCPHS_ROLE_UNKNOWN);
		tcphs_end_bind(&f->ends, e, r->sock);
	}
	attach(f, e, r);
}

/* ---- segments ------------------------------------------------------------- */

/* e has sent a SYN,ACK to a SYN of this number, which was not seen. */
static bool has_answered(const struct tcphs_end *e, uint32_t seq)
{
	size_t i;

	for (i = 0; i < e->records && !e->irs_known; i++) {
		const struct tcphs_segment *s = &e->record[i].segment;

		if (e->record[i].kind == TCPHS_SEGMENT && s->mark & TCPHS_SEG_OUT &&
		    (s->flags & (TCPHS_SYN | TCPHS_ACK)) == (TCPHS_SYN | TCPHS_ACK) &&
		    s->ack == seq + 1)
			return true;
	}
	return false;
}

/* What an end is where this SYN found its socket, of which nothing else is known. */
static enum tcphs_role role_of_found(const struct tcphs_segment *s)
{
	if (!lives(s->state) || s->mark & TCPHS_SEG_MINI)
		return TCPHS_ROLE_PASSIVE;
	return s->state == TCPHS_SYN_SENT ? TCPHS_ROLE_ACTIVE : TCPHS_ROLE_UNKNOWN;
}

/* A SYN came: again, crossing ours, foreign to a living connection, or anew. */
static struct tcphs_end *place_syn(struct tcphs_flow *f, const struct tcphs_record *r,
				   const struct tcphs_tuple *t)
{
	struct tcphs_end *e = tcphs_end_newest(&f->ends, t, r->netns);

	if (e && !e->stub && !e->closed && e->state != TCPHS_TIME_WAIT) {
		if (e->irs_known && e->irs == r->segment.seq)
			return e;
		if (has_answered(e, r->segment.seq))
			return e;
		if (e->role == TCPHS_ROLE_ACTIVE && !e->irs_known)
			return e;
		/* RFC 5961, 4: a living connection answers with a challenge. */
		if (e->full && !e->mini)
			return e;
		if (e->state == TCPHS_SYN_RECV)
			return e;
	}
	e = new_end_at(f, r, t, role_of_found(&r->segment));
	e->born = !lives(r->segment.state);
	return e;
}

/*
 * TIME_WAIT (or a FIN_WAIT2 without process) answered the SYN that looked like
 * the beginning of another connection: it was none.
 */
static void take_back_syn(struct tcphs_flow *f, struct tcphs_end *e)
{
	struct tcphs_end *n = tcphs_end_newest(&f->ends, &e->tuple, e->netns);

	if (!n || n == e || n->stub || e->stub || n->socket || n->peer ||
	    !has_only(n, 1))
		return;
	/* Nor did it reach who listens. */
	tcphs_listener_uncount(&f->ends, n);
	merge(f, e, n);
}

static struct tcphs_end *place_segment(struct tcphs_flow *f,
				       const struct tcphs_record *r,
				       const struct tcphs_tuple *t)
{
	const struct tcphs_segment *s = &r->segment;
	bool out = s->mark & TCPHS_SEG_OUT;
	bool syn = (s->flags & (TCPHS_SYN | TCPHS_ACK | TCPHS_RST)) == TCPHS_SYN;
	bool synack = (s->flags & (TCPHS_SYN | TCPHS_ACK | TCPHS_RST)) ==
		      (TCPHS_SYN | TCPHS_ACK);
	struct tcphs_end *e = NULL;

	/* Forged on this machine: a living socket's end keeps its name. */
	if (out && s->mark & TCPHS_SEG_NO_SOCKET) {
		e = tcphs_end_newest(&f->ends, t, r->netns);
		if (e && e->full && !e->stub && !e->closed)
			return e;
		e = NULL;
	}
	/* Whose socket an incoming SYN finds says little: see place_syn(). */
	if (out || !syn)
		e = tcphs_end_of_sock(&f->ends, r, t);
	if (e && e->role == TCPHS_ROLE_LISTENER)
		e = NULL;
	if (e && e->lossy && tcphs_stranger_segment(e, s)) {
		tcphs_end_unbind(&f->ends, r->sock);
		e = NULL;
	}
	if (e) {
		e = settle(f, e, r, t);
		if (out && s->mark & TCPHS_SEG_MINI)
			take_back_syn(f, e);
		return e;
	}
	if (syn && !out)
		return place_syn(f, r, t);
	e = tcphs_end_newest(&f->ends, t, r->netns);
	if (e && e->lossy && tcphs_stranger_segment(e, s))
		e = NULL;
	if (syn) {
		if (e && !e->stub && !e->closed && e->iss_known && e->iss == s->seq)
			return e;
		e = new_end_at(f, r, t, TCPHS_ROLE_ACTIVE);
		/* A raw socket's SYN: no connect() was missed. */
		e->born = !r->sock || s->mark & TCPHS_SEG_NO_SOCKET;
		return e;
	}
	if (synack && out) {
		if (e && !e->stub && !e->closed &&
		    (!e->iss_known || e->iss == s->seq ||
		     (e->cookie && s->mark & TCPHS_SEG_COOKIE)))
			return e;
		return new_end_at(f, r, t, TCPHS_ROLE_PASSIVE);
	}
	return e ? e : new_end_at(f, r, t, TCPHS_ROLE_UNKNOWN);
}

/* Somebody listens where this segment came, or left. */
static bool shows_listener(const struct tcphs_segment *s)
{
	if (s->mark & TCPHS_SEG_OUT)
		return s->mark & TCPHS_SEG_COOKIE;
	return s->state == TCPHS_LISTEN &&
	       (s->flags & (TCPHS_SYN | TCPHS_ACK | TCPHS_RST)) == TCPHS_SYN;
}

static void feed_segment(struct tcphs_flow *f, const struct tcphs_record *r,
			 const struct tcphs_tuple *t)
{
	struct tcphs_end *e = place_segment(f, r, t);

	/*
	 * A number of its own for each cookie: the last one sent counts, and a
	 * RST without a socket answers the whole attempt.
	 */
	if (r->segment.mark & TCPHS_SEG_COOKIE) {
		e->iss_known = true;
		e->iss = r->segment.seq;
	}
	if (shows_listener(&r->segment))
		tcphs_listener_meet(&f->ends, e, r, t, 0);
	tcphs_listener_count(&f->ends, e, r);
	attach(f, e, r);
	if (!e->socket && !e->stub && r->segment.mark & TCPHS_SEG_OUT &&
	    r->segment.flags & TCPHS_RST) {
		e->closed = true;
		tcphs_due_check(&f->due, e, r->ts);
	}
}

/* ---- the rest ------------------------------------------------------------- */

static void feed_destroy(struct tcphs_flow *f, const struct tcphs_record *r,
			 const struct tcphs_tuple *t)
{
	struct tcphs_end *e = tcphs_end_named(&f->ends, r->sock);

	/* What the name had come to stand for was lost. */
	if (e && e->lossy)
		e = tcphs_end_of_sock(&f->ends, r, t);
	tcphs_end_unbind(&f->ends, r->sock);
	if (!e || e->stub)
		return;
	tcphs_end_append(&f->ends, e, r);
	/* TIME_WAIT has a mini-socket of its own and goes on. */
	if (e->role != TCPHS_ROLE_LISTENER && e->state != TCPHS_TIME_WAIT &&
	    e->state != TCPHS_FIN_WAIT2)
		e->closed = true;
	tcphs_due_check(&f->due, e, r->ts);
}

static void feed_other(struct tcphs_flow *f, const struct tcphs_record *r,
		       const struct tcphs_tuple *t)
{
	struct tcphs_end *e = tcphs_end_of_sock(&f->ends, r, t);

	if (e && e->role == TCPHS_ROLE_LISTENER)
		return;
	if (e)
		e = settle(f, e, r, t);
	if (!e)
		e = tcphs_end_newest(&f->ends, t, r->netns);
	if (!e) {
		e = new_end_at(f, r, t, TCPHS_ROLE_UNKNOWN);
		e->socket = true;
		e->full = true;
		tcphs_end_bind(&f->ends, e, r->sock);
		if (r->kind == TCPHS_ACCEPT)
			e->state = r->accept.state;
		else
			e->state = r->reset.state;
	}
	attach(f, e, r);
}

/* One mark for gaps of a CPU with nothing in between. */
static void add_gap(struct tcphs_flow *f, struct tcphs_end *e, const struct tcphs_record *r)
{
	struct tcphs_record *last = e->records ? &e->record[e->records - 1] : NULL;

	if (!last || last->kind != TCPHS_LOST || last->cpu != r->cpu) {
		tcphs_end_append(&f->ends, e, r);
		return;
	}
	last->lost.count += r->lost.count;
	if (r->lost.until > last->lost.until)
		last->lost.until = r->lost.until;
	tcphs_end_doubt(e, r);
}

/* Every end that lived while records were lost may miss some of its own. */
static void feed_lost(struct tcphs_flow *f, const struct tcphs_record *r)
{
	struct tcphs_end *e;

	f->ends.lost = true;
	tcphs_end_open_gap(&f->ends, r);
	for (e = f->ends.living.oldest; e; e = e->newer) {
		if (e->first > r->ts || tcphs_host_differs(e->netns, r->netns))
			continue;
		if ((e->closed || e->due) && e->last < r->lost.since)
			continue;
		e->lossy = true;
		tcphs_listener_doubt_syn(&f->ends, e, r);
		add_gap(f, e, r);
	}
	for (e = f->ends.listeners.oldest; e; e = e->newer)
		if (!tcphs_host_differs(e->netns, r->netns) &&
		    (!e->closed || e->last >= r->lost.since))
			tcphs_listener_doubt(e);
}

void tcphs_flow_feed(struct tcphs_flow *f, const struct tcphs_record *r)
{
	struct tcphs_tuple t;

	f->ends.fed = NULL;
	f->last = r;
	f->last_n = r->n;
	tcphs_address_tuple(r, &t);
	switch (r->kind) {
	case TCPHS_TRANSITION:
		feed_transition(f, r, &t);
		break;
	case TCPHS_SEGMENT:
		feed_segment(f, r, &t);
		break;
	case TCPHS_DESTROY:
		feed_destroy(f, r, &t);
		break;
	case TCPHS_RESET:
	case TCPHS_ACCEPT:
		feed_other(f, r, &t);
		break;
	case TCPHS_LOST:
		feed_lost(f, r);
		break;
	}
	tcphs_flow_advance(f, r->ts);
	tcphs_due_sweep(&f->due, r->ts);
}

void tcphs_flow_advance(struct tcphs_flow *f, uint64_t now)
{
	tcphs_due_advance(&f->due, now);
}

struct tcphs_flow *tcphs_flow_new(bool follow, tcphs_flow_give *give, void *arg)
{
	struct tcphs_flow *f = tcphs_memory_get(1, sizeof(*f));

	f->due.ends = &f->ends;
	f->due.follow = follow;
	f->due.give = give;
	f->due.arg = arg;
	return f;
}

void tcphs_flow_hosts(struct tcphs_flow *f, const struct tcphs_hosts *hosts)
{
	f->ends.hosts = hosts;
}

/* Nothing more comes that they would be kept for. */
static void forget_stubs(struct tcphs_flow *f)
{
	while (f->ends.stubs.oldest)
		tcphs_end_delete(&f->ends, f->ends.stubs.oldest);
}

void tcphs_flow_finish(struct tcphs_flow *f)
{
	f->due.count = 0;
	while (f->ends.living.oldest) {
		tcphs_due_give(&f->due, f->ends.living.oldest);
		forget_stubs(f);
	}
	while (f->ends.listeners.oldest)
		tcphs_due_give(&f->due, f->ends.listeners.oldest);
	forget_stubs(f);
}

uint64_t tcphs_flow_oldest(const struct tcphs_flow *f)
{
	return f->ends.living.oldest ? f->ends.living.oldest->first : UINT64_MAX;
}

void tcphs_flow_look(const struct tcphs_flow *f, tcphs_flow_give *look, void *arg)
{
	const struct tcphs_end *e;

	for (e = f->ends.living.oldest; e; e = e->newer)
		/* Of two ends, at the older one. */
		if (!e->peer || e->first < e->peer->first ||
		    (e->first == e->peer->first && e < e->peer))
			look(arg, e, e->peer);
}

struct tcphs_end *tcphs_flow_find(const struct tcphs_flow *f, const struct tcphs_record *r)
{
	struct tcphs_tuple t;
	struct tcphs_end *e;

	/* Mostly it is asked of the record that was just fed. */
	if (f->ends.fed && f->last == r && f->last_n == r->n)
		return f->ends.fed;
	tcphs_address_tuple(r, &t);
	e = tcphs_end_of_sock(&f->ends, r, &t);
	return e ? e : tcphs_end_newest(&f->ends, &t, r->netns);
}

unsigned long tcphs_flow_number(struct tcphs_flow *f, struct tcphs_end *e)
{
	if (!e || e->role == TCPHS_ROLE_LISTENER)
		return 0;
	/* Two that called each other may both have had one. */
	if (e->peer && e->peer->number && (!e->number || e->peer->number < e->number))
		e->number = e->peer->number;
	if (!e->number)
		e->number = ++f->numbered;
	if (e->peer)
		e->peer->number = e->number;
	return e->number;
}

void tcphs_flow_free(struct tcphs_flow *f)
{
	tcphs_end_delete_all(&f->ends);
	free(f->due.entry);
	free(f);
}
