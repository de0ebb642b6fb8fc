// SPDX-License-Identifier: GPL-2.0
/*
 * Which record belongs to which end, which two ends are one connection, and
 * when a connection is over. What happened in it is for connection.c and
 * verdict.c to say.
 *
 * `sock` names memory, not a connection: the kernel uses it again. A birth, or
 * a tuple that differs, begins a new end; DESTROY ends the name's meaning.
 */
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "memory.h"
#include "names.h"
#include "number.h"

#define SECOND 1000000000ULL

/* How long after the end of a connection its last records may still come. */
#define GRACE (SECOND / 2)
/* A SYN is repeated for 127 s by default, a SYN,ACK for 63 s. */
#define IDLE (130 * SECOND)
#define SWEEP (10 * SECOND)

/* In the order of their first record. */
struct tcphs_flow_list {
	struct tcphs_end *oldest;
	struct tcphs_end *newest;
};

struct due {
	struct tcphs_end *end;
	uint64_t ts;
};

struct tcphs_flow {
	bool follow;
	tcphs_flow_give *give;
	void *arg;

	struct tcphs_table by_sock;
	struct tcphs_table by_tuple;
	struct tcphs_flow_list living;
	struct tcphs_flow_list listeners;
	struct tcphs_flow_list stubs;	/* in the order of giving out */

	/* Finished ends in the order in which they finished: a ring. */
	struct due *due;
	size_t due_begin;
	size_t due_count;
	size_t due_room;

	uint64_t swept;
	bool lost;		/* records, at any time */
};

/* ---- ends and how to find them -------------------------------------------- */

static struct tcphs_end *end_of_tuple(struct tcphs_table_link *l)
{
	return l ? (struct tcphs_end *)((char *)l - offsetof(struct tcphs_end, by_tuple))
		 : NULL;
}

static struct tcphs_binding *find_binding(const struct tcphs_flow *f, uint64_t sock)
{
	struct tcphs_table_link *l;
	struct tcphs_binding *b;

	if (!sock)
		return NULL;
	for (l = tcphs_table_first(&f->by_sock, sock); l; l = tcphs_table_next(l)) {
		b = (struct tcphs_binding *)l;
		if (b->sock == sock)
			return b;
	}
	return NULL;
}

static void unbind(struct tcphs_flow *f, uint64_t sock)
{
	struct tcphs_binding *b = find_binding(f, sock);

	if (!b)
		return;
	tcphs_table_remove(&f->by_sock, &b->link);
	b->sock = 0;
}

static void bind(struct tcphs_flow *f, struct tcphs_end *e, uint64_t sock)
{
	struct tcphs_binding *b = find_binding(f, sock);
	size_t i;

	if (!sock || (b && b->end == e))
		return;
	unbind(f, sock);
	/* Request, full socket, TIME_WAIT: never more than 3 at a time. */
	for (i = 0; i < 3 && e->binding[i].sock; i++)
		;
	b = &e->binding[i];
	if (b->sock)
		unbind(f, b->sock);
	b->sock = sock;
	b->end = e;
	tcphs_table_add(&f->by_sock, &b->link, sock);
}

static void unbind_all(struct tcphs_flow *f, struct tcphs_end *e)
{
	size_t i;

	for (i = 0; i < sizeof(e->binding) / sizeof(e->binding[0]); i++)
		unbind(f, e->binding[i].sock);
}

static void unlist(struct tcphs_end *e)
{
	struct tcphs_flow_list *list = e->list;

	if (e->older)
		e->older->newer = e->newer;
	else
		list->oldest = e->newer;
	if (e->newer)
		e->newer->older = e->older;
	else
		list->newest = e->older;
	e->older = e->newer = NULL;
	e->list = NULL;
}

static void enlist(struct tcphs_flow_list *list, struct tcphs_end *e)
{
	if (e->list)
		unlist(e);
	e->list = list;
	e->older = list->newest;
	if (list->newest)
		list->newest->newer = e;
	else
		list->oldest = e;
	list->newest = e;
}

static struct tcphs_end *new_end(struct tcphs_flow *f, const struct tcphs_record *r)
{
	struct tcphs_end *e = tcphs_memory_get(1, sizeof(*e));

	e->netns = r->netns;
	e->first = e->last = r->ts;
	/* If its beginning stays unseen, that may be because it was lost. */
	e->after_loss = f->lost;
	enlist(&f->living, e);
	return e;
}

static void delete_end(struct tcphs_flow *f, struct tcphs_end *e)
{
	unbind_all(f, e);
	if (e->in_table)
		tcphs_table_remove(&f->by_tuple, &e->by_tuple);
	if (e->peer)
		e->peer->peer = NULL;
	unlist(e);
	free(e->record);
	free(e);
}

static struct tcphs_end *next_same(const struct tcphs_tuple *t, uint32_t netns,
				   struct tcphs_table_link *l)
{
	for (; l; l = tcphs_table_next(l)) {
		struct tcphs_end *other = end_of_tuple(l);

		if (other->netns == netns && tcphs_address_equal(&other->tuple, t))
			return other;
	}
	return NULL;
}

/* The newest end with this tuple in this netns, then the ones before it. */
static struct tcphs_end *newest_of(const struct tcphs_flow *f,
				   const struct tcphs_tuple *t, uint32_t netns)
{
	if (!tcphs_address_whole(t))
		return NULL;
	return next_same(t, netns,
			 tcphs_table_first(&f->by_tuple, tcphs_address_hash(t)));
}

static struct tcphs_end *older_of(const struct tcphs_end *e)
{
	return next_same(&e->tuple, e->netns, tcphs_table_next(&e->by_tuple));
}

/*
 * The end whose socket this is, unless the record's tuple says that the name
 * now stands for another socket.
 */
static struct tcphs_end *end_of_sock(const struct tcphs_flow *f,
				     const struct tcphs_record *r,
				     const struct tcphs_tuple *t)
{
	struct tcphs_binding *b = find_binding(f, r->sock);
	struct tcphs_end *e;

	if (!b)
		return NULL;
	e = b->end;
	if (e->netns != r->netns)
		return NULL;
	if (e->role != TCPHS_ROLE_LISTENER && tcphs_address_whole(t) &&
	    tcphs_address_whole(&e->tuple) && !tcphs_address_equal(t, &e->tuple))
		return NULL;
	return e;
}

/* ---- what an end knows of itself ------------------------------------------ */

static void learn_iss(struct tcphs_end *e, uint32_t iss)
{
	if (!e->iss_known) {
		e->iss = iss;
		e->iss_known = true;
	}
}

static void learn_irs(struct tcphs_end *e, uint32_t irs)
{
	if (!e->irs_known) {
		e->irs = irs;
		e->irs_known = true;
	}
}

static bool agree(bool a_known, uint32_t a, bool b_known, uint32_t b)
{
	return !a_known || !b_known || a == b;
}

/* One side's own number is the other side's received one. */
static bool numbers_meet(const struct tcphs_end *a, const struct tcphs_end *b)
{
	bool there = a->iss_known && b->irs_known;
	bool back = a->irs_known && b->iss_known;

	if (!agree(a->iss_known, a->iss, b->irs_known, b->irs) ||
	    !agree(a->irs_known, a->irs, b->iss_known, b->iss))
		return false;
	return there || back;
}

/* A segment left one end and the same one came to the other. */
static bool segments_meet(const struct tcphs_end *a, const struct tcphs_end *b)
{
	size_t i, k;

	for (i = 0; i < a->records; i++) {
		const struct tcphs_segment *out = &a->record[i].segment;

		if (a->record[i].kind != TCPHS_SEGMENT || !(out->mark & TCPHS_SEG_OUT))
			continue;
		for (k = 0; k < b->records; k++) {
			const struct tcphs_segment *in = &b->record[k].segment;

			if (b->record[k].kind == TCPHS_SEGMENT &&
			    !(in->mark & TCPHS_SEG_OUT) && in->seq == out->seq &&
			    in->ack == out->ack && in->flags == out->flags &&
			    in->len == out->len)
				return true;
		}
	}
	return false;
}

/*
 * Join e with the end on the other side, if that is local. Addresses alone are
 * no proof: another netns may use the same ones. `weak`: nothing better will
 * come any more, a common segment will do.
 */
static void pair(struct tcphs_flow *f, struct tcphs_end *e, bool weak)
{
	struct tcphs_tuple mirror;
	struct tcphs_table_link *l;

	if (e->peer || !e->in_table || e->role == TCPHS_ROLE_LISTENER)
		return;
	tcphs_address_mirror(&e->tuple, &mirror);
	/* A socket connected to itself is both ends. */
	if (tcphs_address_equal(&e->tuple, &mirror))
		return;
	for (l = tcphs_table_first(&f->by_tuple, tcphs_address_hash(&mirror)); l;
	     l = tcphs_table_next(l)) {
		struct tcphs_end *p = end_of_tuple(l);

		if (p->peer || p->stub || !tcphs_address_equal(&p->tuple, &mirror))
			continue;
		if (numbers_meet(e, p) ||
		    (weak && agree(e->iss_known, e->iss, p->irs_known, p->irs) &&
		     agree(e->irs_known, e->irs, p->iss_known, p->iss) &&
		     (segments_meet(e, p) || segments_meet(p, e)))) {
			e->peer = p;
			p->peer = e;
			return;
		}
	}
}

static void learn_transition(struct tcphs_end *e, const struct tcphs_transition *t)
{
	e->socket = true;
	if (t->via == TCPHS_VIA_TRACEPOINT)
		e->full = true;
	else if (t->via == TCPHS_VIA_TIMEWAIT)
		e->mini = true;
	e->state = t->new;
	e->closed = t->new == TCPHS_CLOSE;
	if (t->has & TCPHS_HAS_BIRTH)
		return;
	if (t->has & TCPHS_HAS_ISS)
		learn_iss(e, t->nr.iss);
	if (t->has & TCPHS_HAS_IRS)
		learn_irs(e, t->nr.irs);
}

static void learn_segment(struct tcphs_end *e, const struct tcphs_segment *s)
{
	bool out = s->mark & TCPHS_SEG_OUT;

	if (s->flags & TCPHS_RST || !(s->flags & TCPHS_SYN))
		return;
	if (out)
		learn_iss(e, s->seq);
	else
		learn_irs(e, s->seq);
	if (out && s->mark & TCPHS_SEG_COOKIE)
		e->cookie = true;
}

/* ---- the end of a connection ---------------------------------------------- */

static void push_due(struct tcphs_flow *f, struct tcphs_end *e, uint64_t ts)
{
	size_t i;

	if (f->due_count == f->due_room) {
		size_t room = f->due_room ? f->due_room * 2 : 64;
		struct due *due = tcphs_memory_get(room, sizeof(*due));

		for (i = 0; i < f->due_count; i++)
			due[i] = f->due[(f->due_begin + i) % f->due_room];
		free(f->due);
		f->due = due;
		f->due_begin = 0;
		f->due_room = room;
	}
	f->due[(f->due_begin + f->due_count++) % f->due_room] =
		(struct due){ e, ts };
	e->due = ts;
}

/* Nothing more is expected of this end. */
static bool over(const struct tcphs_flow *f, const struct tcphs_end *e)
{
	if (!e->socket || e->closed)
		return true;
	return f->follow && e->state == TCPHS_TIME_WAIT;
}

static void check_over(struct tcphs_flow *f, struct tcphs_end *e, uint64_t ts)
{
	struct tcphs_end *p = e->peer;

	if (e->stub || e->due || !over(f, e) || (p && (p->due || !over(f, p))))
		return;
	/* Listeners come last, except where there is no end to wait for. */
	if (e->role == TCPHS_ROLE_LISTENER && !f->follow)
		return;
	/* Only segments, on both sides: it may be about to begin. */
	if (!e->socket && (!p || !p->socket) && !e->closed)
		return;
	push_due(f, e, ts);
}

/*
 * What stays of an end that was given out: enough to take in what still comes
 * (the end of TIME_WAIT, a late RST) and to know the numbers it used.
 */
static void make_stub(struct tcphs_flow *f, struct tcphs_end *e)
{
	size_t i;

	e->stub = true;
	e->peer = NULL;
	free(e->record);
	e->record = NULL;
	e->records = e->room = 0;
	if (!e->in_table) {
		delete_end(f, e);
		return;
	}
	enlist(&f->stubs, e);
	for (i = 0; i < sizeof(e->binding) / sizeof(e->binding[0]); i++)
		if (e->closed)
			unbind(f, e->binding[i].sock);
}

static void give_out(struct tcphs_flow *f, struct tcphs_end *e)
{
	struct tcphs_end *p;

	pair(f, e, true);
	p = e->peer;
	f->give(f->arg, e, p);
	make_stub(f, e);
	if (p)
		make_stub(f, p);
}

void tcphs_flow_advance(struct tcphs_flow *f, uint64_t now)
{
	while (f->due_count) {
		struct due *due = &f->due[f->due_begin];
		struct tcphs_end *e = due->end;

		if (due->ts + GRACE > now)
			break;
		f->due_begin = (f->due_begin + 1) % f->due_room;
		f->due_count--;
		if (!e)
			continue;
		e->due = 0;
		/* CLOSE may have become TIME_WAIT, or a peer been found. */
		if (!e->stub && over(f, e) && (!e->peer || over(f, e->peer)))
			give_out(f, e);
	}
}

/* Take an end out of the queue before its memory goes. */
static void forget_due(struct tcphs_flow *f, const struct tcphs_end *e)
{
	size_t i;

	if (!e->due)
		return;
	for (i = 0; i < f->due_count; i++) {
		struct due *due = &f->due[(f->due_begin + i) % f->due_room];

		if (due->end == e)
			due->end = NULL;
	}
}

static bool half_open(const struct tcphs_end *e)
{
	return !e->socket || (e->state == TCPHS_SYN_RECV && !e->full);
}

/* Give out half-open ends that nobody cares for, and forget old stubs. */
static void sweep(struct tcphs_flow *f, uint64_t now)
{
	struct tcphs_end *e, *newer;

	if (now < f->swept + SWEEP)
		return;
	f->swept = now;
	for (e = f->stubs.oldest; e; e = newer) {
		newer = e->newer;
		if (e->last + IDLE < now)
			delete_end(f, e);
	}
	for (e = f->living.oldest; e; e = newer) {
		newer = e->newer;
		if (e->last + IDLE > now || e->due || !half_open(e) ||
		    (e->peer && !half_open(e->peer)))
			continue;
		pair(f, e, true);
		if (newer && newer == e->peer)
			newer = newer->newer;
		give_out(f, e);
	}
}

/* ---- attaching records ---------------------------------------------------- */

static void append(struct tcphs_end *e, const struct tcphs_record *r)
{
	e->record = tcphs_memory_grow(e->record, e->records, &e->room,
				      sizeof(*e->record));
	e->record[e->records++] = *r;
	e->doubtful = r->kind == TCPHS_LOST;
	if (r->ts > e->last)
		e->last = r->ts;
	if (r->ts < e->first)
		e->first = r->ts;
}

static void attach(struct tcphs_flow *f, struct tcphs_end *e,
		   const struct tcphs_record *r)
{
	if (e->stub) {
		e->last = r->ts;
		if (r->kind == TCPHS_TRANSITION)
			learn_transition(e, &r->transition);
		if (e->closed)
			unbind_all(f, e);
		return;
	}
	append(e, r);
	if (r->flags & TCPHS_V4MAPPED)
		e->mapped = true;
	if (r->kind == TCPHS_TRANSITION)
		learn_transition(e, &r->transition);
	else if (r->kind == TCPHS_SEGMENT)
		learn_segment(e, &r->segment);
	if (!e->peer)
		pair(f, e, false);
	check_over(f, e, r->ts);
}

/* e has the tuple t from now on. */
static void set_tuple(struct tcphs_flow *f, struct tcphs_end *e,
		      const struct tcphs_tuple *t)
{
	struct tcphs_end *old;

	if (e->in_table || !tcphs_address_whole(t))
		return;
	e->tuple = *t;
	old = newest_of(f, t, e->netns);
	if (old) {
		e->before.known = old->iss_known || old->irs_known;
		e->before.iss_known = old->iss_known;
		e->before.irs_known = old->irs_known;
		e->before.iss = old->iss;
		e->before.irs = old->irs;
	}
	tcphs_table_add(&f->by_tuple, &e->by_tuple, tcphs_address_hash(t));
	e->in_table = true;
}

static struct tcphs_end *new_end_at(struct tcphs_flow *f, const struct tcphs_record *r,
				    const struct tcphs_tuple *t, enum tcphs_role role)
{
	struct tcphs_end *e = new_end(f, r);

	e->role = role;
	set_tuple(f, e, t);
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
		append(to, &from->record[i]);
		if (from->record[i].kind == TCPHS_TRANSITION)
			learn_transition(to, &from->record[i].transition);
	}
	to->lossy |= from->lossy;
	to->after_loss &= from->after_loss;
	forget_due(f, from);
	delete_end(f, from);
	for (i = 0; i < 4; i++)
		bind(f, to, sock[i]);
}

/* Take the last record, a SYN, away from `from`. */
static void move_syn(struct tcphs_end *to, struct tcphs_end *from, uint32_t seq)
{
	const struct tcphs_record *r;

	if (!from || !from->records)
		return;
	r = &from->record[from->records - 1];
	if (r->kind == TCPHS_SEGMENT && !(r->segment.mark & TCPHS_SEG_OUT) &&
	    (r->segment.flags & (TCPHS_SYN | TCPHS_ACK)) == TCPHS_SYN &&
	    r->segment.seq == seq) {
		append(to, r);
		from->records--;
	}
}

/* ---- listeners ------------------------------------------------------------ */

static uint64_t listener_hash(uint32_t netns, uint16_t port)
{
	struct tcphs_tuple key = { .lport = port };

	memcpy(key.remote, &netns, sizeof(netns));
	return tcphs_address_hash(&key);
}

/* Listeners share the tuple table: no connection has remote port 0. */
static void set_listener(struct tcphs_flow *f, struct tcphs_end *e,
			 const struct tcphs_tuple *t)
{
	if (e->in_table || !t->lport)
		return;
	e->tuple = *t;
	memset(e->tuple.remote, 0, sizeof(e->tuple.remote));
	e->tuple.rport = 0;
	tcphs_table_add(&f->by_tuple, &e->by_tuple,
			listener_hash(e->netns, t->lport));
	e->in_table = true;
}

/* The listener that a segment for this local end would find. */
static struct tcphs_end *find_listener(const struct tcphs_flow *f, uint32_t netns,
				       const struct tcphs_tuple *t)
{
	struct tcphs_end *best = NULL, *e;
	struct tcphs_table_link *l;

	for (l = tcphs_table_first(&f->by_tuple, listener_hash(netns, t->lport)); l;
	     l = tcphs_table_next(l)) {
		e = end_of_tuple(l);
		if (e->role != TCPHS_ROLE_LISTENER || e->closed || e->netns != netns ||
		    e->tuple.lport != t->lport)
			continue;
		if (e->tuple.inet6 == t->inet6 &&
		    !memcmp(e->tuple.local, t->local, sizeof(t->local)))
			return e;
		/* :: takes IPv4 too. */
		if (!best && tcphs_address_any(e->tuple.local) &&
		    (e->tuple.inet6 || !t->inet6))
			best = e;
	}
	return best;
}

static void feed_listener(struct tcphs_flow *f, const struct tcphs_record *r,
			  const struct tcphs_tuple *t)
{
	const struct tcphs_transition *tr = &r->transition;
	struct tcphs_end *e = NULL;

	if (tr->old == TCPHS_CLOSE && tr->new == TCPHS_LISTEN) {
		unbind(f, r->sock);
	} else {
		e = end_of_sock(f, r, t);
	}
	if (!e || e->role != TCPHS_ROLE_LISTENER) {
		e = new_end(f, r);
		enlist(&f->listeners, e);
		e->role = TCPHS_ROLE_LISTENER;
		e->born = tr->old == TCPHS_CLOSE;
		bind(f, e, r->sock);
	}
	set_listener(f, e, t);
	append(e, r);
	e->socket = true;
	e->state = tr->new;
	e->closed = tr->new == TCPHS_CLOSE;
	check_over(f, e, r->ts);
}

/* SYNs are answered before the receive call returns, or never. */
static void count_segment(struct tcphs_flow *f, struct tcphs_end *e,
			  const struct tcphs_record *r)
{
	const struct tcphs_segment *s = &r->segment;
	bool out = s->mark & TCPHS_SEG_OUT;
	struct tcphs_end *l;

	if (e->role != TCPHS_ROLE_PASSIVE)
		return;
	l = find_listener(f, r->netns, &e->tuple);
	if (!l)
		return;
	if (s->mark & TCPHS_SEG_ACCEPT_FULL)
		l->counts.overflowed++;
	if (s->flags & TCPHS_SYN && !out) {
		l->counts.syns++;
		l->counts.unanswered++;
		e->asked = true;
		return;
	}
	if (s->flags & TCPHS_SYN) {
		l->counts.synacks++;
		if (s->mark & TCPHS_SEG_COOKIE)
			l->counts.cookies_sent++;
	} else if (out && s->flags & TCPHS_RST && e->cookie && !e->full) {
		/* The third segment did not carry back what the cookie said. */
		l->counts.cookies_failed++;
	}
	if (out && e->asked) {
		l->counts.unanswered--;
		e->asked = false;
	}
}

/* ---- transitions ---------------------------------------------------------- */

/* A server's connection belongs to its listener's process until accept(). */
static void learn_listener(struct tcphs_flow *f, struct tcphs_end *e)
{
	const struct tcphs_end *l;
	size_t i;

	if (e->listener.known || !e->in_table)
		return;
	l = find_listener(f, e->netns, &e->tuple);
	for (i = 0; l && i < l->records; i++) {
		const struct tcphs_transition *t = &l->record[i].transition;

		if (l->record[i].kind != TCPHS_TRANSITION ||
		    !(t->has & TCPHS_HAS_OWNER))
			continue;
		e->listener.known = true;
		e->listener.pid = t->pid;
		e->listener.uid = t->uid;
		memcpy(e->listener.comm, t->comm, sizeof(t->comm));
		return;
	}
}

/*
 * An end that waits for its full socket: a request, or only segments (a SYN
 * cookie leaves nothing else).
 */
static bool awaits_child(const struct tcphs_end *e, const struct tcphs_record *r)
{
	const struct tcphs_transition *t = &r->transition;
	bool numbers = r->kind == TCPHS_TRANSITION && !(t->has & TCPHS_HAS_BIRTH);

	if (e->stub || e->full || e->closed || e->role == TCPHS_ROLE_ACTIVE)
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
		m = newest_of(f, t, r->netns);
		if (m && m != e && awaits_child(m, r)) {
			if (m->cookie) {
				struct tcphs_end *l = find_listener(f, r->netns, t);

				if (l)
					l->counts.cookies_accepted++;
			}
			m->role = TCPHS_ROLE_PASSIVE;
			merge(f, m, e);
			learn_listener(f, m);
			return m;
		}
	}
	set_tuple(f, e, t);
	if (e->role == TCPHS_ROLE_PASSIVE)
		learn_listener(f, e);
	return e;
}

static void feed_birth(struct tcphs_flow *f, const struct tcphs_record *r,
		       const struct tcphs_tuple *t, enum tcphs_role role)
{
	struct tcphs_end *e;

	unbind(f, r->sock);
	e = new_end(f, r);
	e->role = role;
	e->born = true;
	bind(f, e, r->sock);
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
		unbind(f, r->sock);
	e = birth ? NULL : end_of_sock(f, r, t);
	if (!e) {
		old = newest_of(f, t, r->netns);
		if (old && awaits_child(old, r)) {
			e = old;
		} else {
			if (!birth && old && old->full)
				return;	/* its child has taken over */
			e = new_end_at(f, r, t, TCPHS_ROLE_PASSIVE);
			if (tr->has & TCPHS_HAS_IRS)
				move_syn(e, old, tr->nr.irs);
		}
	}
	e->role = TCPHS_ROLE_PASSIVE;
	if (birth)
		e->born = true;
	learn_listener(f, e);
	bind(f, e, r->sock);
	attach(f, e, r);
	if (tr->new == TCPHS_CLOSE)
		unbind(f, r->sock);
}

static void feed_timewait(struct tcphs_flow *f, const struct tcphs_record *r,
			  const struct tcphs_tuple *t)
{
	struct tcphs_end *e = end_of_sock(f, r, t);

	if (!e || e->role == TCPHS_ROLE_LISTENER) {
		/* Behind a SYN that may be about to take the port pair over. */
		for (e = newest_of(f, t, r->netns); e; e = older_of(e)) {
			if (e->state == TCPHS_TIME_WAIT || e->state == TCPHS_FIN_WAIT2)
				break;
			if (e->state == TCPHS_CLOSE && r->transition.new != TCPHS_CLOSE)
				break;
		}
	}
	if (!e) {
		if (r->transition.new == TCPHS_CLOSE && !tcphs_address_whole(t))
			return;
		e = new_end_at(f, r, t, TCPHS_ROLE_UNKNOWN);
	}
	if (r->transition.new != TCPHS_CLOSE)
		bind(f, e, r->sock);
	attach(f, e, r);
	if (r->transition.new == TCPHS_CLOSE)
		unbind(f, r->sock);
}

/*
 * Two segments that complete the same handshake, on two CPUs at once, each make
 * a child. One is hashed and lives on; the other goes back the moment it is
 * born, without an error and without anybody's doing: it was never an end.
 */
static bool lost_race(const struct tcphs_end *e, const struct tcphs_transition *t)
{
	return e->role == TCPHS_ROLE_PASSIVE && e->records == 1 &&
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
	e = end_of_sock(f, r, t);
	/* A socket that was closed does not go on: this is another one. */
	if (e && (e->role == TCPHS_ROLE_LISTENER ||
		  (e->state == TCPHS_CLOSE && tr->old != TCPHS_CLOSE)))
		e = NULL;
	if (e && lost_race(e, tr)) {
		forget_due(f, e);
		delete_end(f, e);
		return;
	}
	if (e) {
		e = settle(f, e, r, t);
	} else {
		/* close() of a socket that never was connected */
		if (tr->old == tr->new && tr->new == TCPHS_CLOSE)
			return;
		e = newest_of(f, t, r->netns);
		if (!e || !awaits_child(e, r))
			e = new_end_at(f, r, t, TCPHS_ROLE_UNKNOWN);
		bind(f, e, r->sock);
	}
	attach(f, e, r);
}

/* ---- segments ------------------------------------------------------------- */

/* A SYN came: again, crossing ours, foreign to a living connection, or anew. */
static struct tcphs_end *place_syn(struct tcphs_flow *f, const struct tcphs_record *r,
				   const struct tcphs_tuple *t)
{
	struct tcphs_end *e = newest_of(f, t, r->netns);

	if (e && !e->stub && !e->closed && e->state != TCPHS_TIME_WAIT) {
		if (e->irs_known && e->irs == r->segment.seq)
			return e;
		if (e->role == TCPHS_ROLE_ACTIVE && !e->irs_known)
			return e;
		/* RFC 5961, 4: a living connection answers with a challenge. */
		if (e->full && !e->mini)
			return e;
		if (e->state == TCPHS_SYN_RECV)
			return e;
	}
	e = new_end_at(f, r, t, TCPHS_ROLE_PASSIVE);
	e->born = true;
	return e;
}

/*
 * TIME_WAIT (or a FIN_WAIT2 without process) answered the SYN that looked like
 * the beginning of another connection: it was none.
 */
static void take_back_syn(struct tcphs_flow *f, struct tcphs_end *e)
{
	struct tcphs_end *n = newest_of(f, &e->tuple, e->netns);

	if (!n || n == e || n->stub || e->stub || n->socket || n->peer ||
	    n->records != 1)
		return;
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

	/* Whose socket an incoming SYN finds says little: see place_syn(). */
	if (out || !syn)
		e = end_of_sock(f, r, t);
	if (e && e->role == TCPHS_ROLE_LISTENER)
		e = NULL;
	if (e) {
		e = settle(f, e, r, t);
		if (out && s->mark & TCPHS_SEG_MINI)
			take_back_syn(f, e);
		return e;
	}
	if (syn && !out)
		return place_syn(f, r, t);
	e = newest_of(f, t, r->netns);
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
	count_segment(f, e, r);
	attach(f, e, r);
	if (!e->socket && !e->stub && r->segment.mark & TCPHS_SEG_OUT &&
	    r->segment.flags & TCPHS_RST) {
		e->closed = true;
		check_over(f, e, r->ts);
	}
}

/* ---- the rest ------------------------------------------------------------- */

static void feed_destroy(struct tcphs_flow *f, const struct tcphs_record *r)
{
	struct tcphs_binding *b = find_binding(f, r->sock);
	struct tcphs_end *e = b ? b->end : NULL;

	unbind(f, r->sock);
	if (!e || e->stub)
		return;
	append(e, r);
	/* TIME_WAIT has a mini-socket of its own and goes on. */
	if (e->role != TCPHS_ROLE_LISTENER && e->state != TCPHS_TIME_WAIT &&
	    e->state != TCPHS_FIN_WAIT2)
		e->closed = true;
	check_over(f, e, r->ts);
}

static void feed_other(struct tcphs_flow *f, const struct tcphs_record *r,
		       const struct tcphs_tuple *t)
{
	struct tcphs_end *e = end_of_sock(f, r, t);

	if (e && e->role == TCPHS_ROLE_LISTENER)
		return;
	if (e)
		e = settle(f, e, r, t);
	if (!e)
		e = newest_of(f, t, r->netns);
	if (!e) {
		e = new_end_at(f, r, t, TCPHS_ROLE_UNKNOWN);
		e->socket = true;
		e->full = true;
		bind(f, e, r->sock);
		if (r->kind == TCPHS_ACCEPT)
			e->state = r->accept.state;
		else
			e->state = r->reset.state;
	}
	if (r->kind == TCPHS_RESET && !(r->reset.has & TCPHS_HAS_BIRTH)) {
		if (r->reset.has & TCPHS_HAS_ISS)
			learn_iss(e, r->reset.nr.iss);
		if (r->reset.has & TCPHS_HAS_IRS)
			learn_irs(e, r->reset.nr.irs);
	}
	attach(f, e, r);
}

/* Every end that lived while records were lost may miss some of its own. */
static void feed_lost(struct tcphs_flow *f, const struct tcphs_record *r)
{
	struct tcphs_end *e;

	f->lost = true;
	for (e = f->living.oldest; e; e = e->newer) {
		if (e->first > r->ts)
			continue;
		if ((e->closed || e->due) && e->last < r->lost.since)
			continue;
		e->lossy = true;
		append(e, r);
	}
}

void tcphs_flow_feed(struct tcphs_flow *f, const struct tcphs_record *r)
{
	struct tcphs_tuple t;

	tcphs_address_tuple(r, &t);
	switch (r->kind) {
	case TCPHS_TRANSITION:
		feed_transition(f, r, &t);
		break;
	case TCPHS_SEGMENT:
		feed_segment(f, r, &t);
		break;
	case TCPHS_DESTROY:
		feed_destroy(f, r);
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
	sweep(f, r->ts);
}

struct tcphs_flow *tcphs_flow_new(bool follow, tcphs_flow_give *give, void *arg)
{
	struct tcphs_flow *f = tcphs_memory_get(1, sizeof(*f));

	f->follow = follow;
	f->give = give;
	f->arg = arg;
	return f;
}

void tcphs_flow_finish(struct tcphs_flow *f)
{
	f->due_count = 0;
	while (f->living.oldest)
		give_out(f, f->living.oldest);
	while (f->listeners.oldest)
		give_out(f, f->listeners.oldest);
	while (f->stubs.oldest)
		delete_end(f, f->stubs.oldest);
}

uint64_t tcphs_flow_oldest(const struct tcphs_flow *f)
{
	return f->living.oldest ? f->living.oldest->first : UINT64_MAX;
}

const struct tcphs_end *tcphs_flow_find(const struct tcphs_flow *f,
					const struct tcphs_record *r)
{
	struct tcphs_tuple t;
	struct tcphs_end *e;

	tcphs_address_tuple(r, &t);
	e = end_of_sock(f, r, &t);
	return e ? e : newest_of(f, &t, r->netns);
}

void tcphs_flow_free(struct tcphs_flow *f)
{
	while (f->living.oldest)
		delete_end(f, f->living.oldest);
	while (f->listeners.oldest)
		delete_end(f, f->listeners.oldest);
	while (f->stubs.oldest)
		delete_end(f, f->stubs.oldest);
	tcphs_table_free(&f->by_sock);
	tcphs_table_free(&f->by_tuple);
	free(f->due);
	free(f);
}
