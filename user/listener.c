// SPDX-License-Identifier: GPL-2.0
/* Listening sockets: which one a SYN finds, and what happened there. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "listener.h"
#include "names.h"
#include "number.h"
#include "text.h"

/* TCP_SYNCOOKIE_VALID of Linux, in ns */
#define COOKIE_VALID (120 * 1000000000ULL)

/* How late, in ns, a CPU may tell of a SYN that a closing listener still got, or answered. */
#define CLOSING 1000000000ULL

static uint64_t listener_hash(uint32_t netns, uint16_t port)
{
	struct tcphs_tuple key = { .lport = port };

	memcpy(key.remote, &netns, sizeof(netns));
	return tcphs_address_hash(&key);
}

/* Listeners share the tuple table: no connection has remote port 0. */
void tcphs_listener_set(struct tcphs_ends *ends, struct tcphs_end *e,
			 const struct tcphs_tuple *t)
{
	if (e->in_table || !t->lport)
		return;
	e->tuple = *t;
	memset(e->tuple.remote, 0, sizeof(e->tuple.remote));
	e->tuple.rport = 0;
	tcphs_table_add(&ends->by_tuple, &e->by_tuple,
			listener_hash(e->netns, t->lport));
	e->in_table = true;
}

struct tcphs_end *tcphs_listener_find(const struct tcphs_ends *ends, uint32_t netns,
				       const struct tcphs_tuple *t)
{
	struct tcphs_end *best = NULL, *e;
	struct tcphs_table_link *l;

	for (l = tcphs_table_first(&ends->by_tuple, listener_hash(netns, t->lport)); l;
	     l = tcphs_table_next(l)) {
		e = tcphs_end_of_link(l);
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

/* No record of this time is missing: what it says nothing of did not happen. */
static bool is_whole(const struct tcphs_ends *ends, const struct tcphs_record *r)
{
	return !tcphs_end_misses(ends, r);
}

struct tcphs_end *tcphs_listener_nameless(const struct tcphs_ends *ends, uint32_t netns,
					  const struct tcphs_tuple *t)
{
	struct tcphs_end *l = tcphs_listener_find(ends, netns, t);
	size_t i;

	if (!l || l->born || memcmp(l->tuple.local, t->local, sizeof(t->local)))
		return NULL;
	for (i = 0; i < sizeof(l->binding) / sizeof(l->binding[0]); i++)
		if (l->binding[i].sock)
			return NULL;
	return l;
}

static void count_syn(struct tcphs_ends *ends, struct tcphs_end *l, struct tcphs_end *e,
		      bool waits)
{
	if (!l->serial)
		l->serial = ++ends->serials;
	l->counts.syns++;
	l->counts.unanswered += waits;
	e->asked = l->serial;
	e->waits = waits;
}

/*
 * Who counted the SYN of e that is not answered yet; NULL none, or gone. Another one may
 * be found at its address by now.
 */
static struct tcphs_end *counted_by(const struct tcphs_ends *ends, const struct tcphs_end *e)
{
	struct tcphs_end *l = tcphs_end_named(ends, e->listener_sock);
	struct tcphs_table_link *link;

	if (!e->asked)
		return NULL;
	/* One whose port is not known is in no table. */
	if (l && l->serial == e->asked)
		return l;
	for (link = tcphs_table_first(&ends->by_tuple, listener_hash(e->netns, e->tuple.lport));
	     link; link = tcphs_table_next(link)) {
		l = tcphs_end_of_link(link);
		if (l->serial == e->asked)
			return l;
	}
	return NULL;
}

/*
 * The listener of e: that which its request named, that which counted its SYN, or one
 * at its address; NULL unknown.
 */
static struct tcphs_end *listener_of(const struct tcphs_ends *ends, const struct tcphs_end *e)
{
	struct tcphs_end *l = tcphs_end_named(ends, e->listener_sock);

	if (l && l->role == TCPHS_ROLE_LISTENER && !l->closed)
		return l;
	l = counted_by(ends, e);
	return l && !l->closed ? l : tcphs_listener_find(ends, e->netns, &e->tuple);
}

/* One that is gone is no other one: a SYN may have found it in its last moment. */
static bool just_closed(const struct tcphs_ends *ends, const struct tcphs_record *r,
			const struct tcphs_tuple *t)
{
	struct tcphs_table_link *l;

	for (l = tcphs_table_first(&ends->by_tuple, listener_hash(r->netns, t->lport)); l;
	     l = tcphs_table_next(l)) {
		const struct tcphs_end *e = tcphs_end_of_link(l);

		if (e->role == TCPHS_ROLE_LISTENER && e->closed && e->netns == r->netns &&
		    e->tuple.lport == t->lport && e->last + CLOSING > r->ts)
			return true;
	}
	return false;
}

/* What `from` counted of those in the list is `to`'s. */
static void hand_over(const struct tcphs_end_list *list, const struct tcphs_end *to,
		      const struct tcphs_end *from)
{
	struct tcphs_end *e;

	for (e = list->oldest; e; e = e->newer)
		if (e->asked == from->serial)
			e->asked = to->serial;
}

/* Two addresses of one socket: it listens at all of them. */
static void join(struct tcphs_ends *ends, struct tcphs_end *to, struct tcphs_end *from)
{
	struct tcphs_listener_counts *n = &to->counts;

	n->syns += from->counts.syns;
	n->synacks += from->counts.synacks;
	n->cookies_sent += from->counts.cookies_sent;
	n->cookies_accepted += from->counts.cookies_accepted;
	n->cookies_failed += from->counts.cookies_failed;
	n->unanswered += from->counts.unanswered;
	n->overflowed += from->counts.overflowed;
	if (from->serial && !to->serial)
		to->serial = ++ends->serials;
	if (from->serial) {
		hand_over(&ends->living, to, from);
		hand_over(&ends->stubs, to, from);
	}
	memset(to->tuple.local, 0, sizeof(to->tuple.local));
	to->tuple.inet6 |= from->tuple.inet6;
	tcphs_end_delete(ends, from);
}

void tcphs_listener_meet(struct tcphs_ends *ends, struct tcphs_end *e,
			 const struct tcphs_record *r, const struct tcphs_tuple *t,
			 uint64_t sock)
{
	struct tcphs_end *l = tcphs_listener_find(ends, r->netns, t);
	struct tcphs_end *named = tcphs_end_named(ends, sock);
	size_t i;

	if (!l) {
		if (just_closed(ends, r, t))
			return;
		l = tcphs_end_new(ends, r);
		tcphs_end_enlist(&ends->listeners, l);
		l->role = TCPHS_ROLE_LISTENER;
		l->socket = true;
		l->state = TCPHS_LISTEN;
		tcphs_listener_set(ends, l, t);
		/* The SYN by which it was met. */
		for (i = 0; i < e->records && !e->asked; i++) {
			const struct tcphs_segment *s = &e->record[i].segment;

			if (e->record[i].kind != TCPHS_SEGMENT ||
			    s->mark & TCPHS_SEG_OUT || !(s->flags & TCPHS_SYN))
				continue;
			count_syn(ends, l, e, is_whole(ends, &e->record[i]));
		}
	}
	if (!sock || l->born || named == l)
		return;
	/* Another one had the name before, and nothing that is here took it away. */
	if (named && named->role == TCPHS_ROLE_LISTENER &&
	    (named->closed || (named->tuple.lport && named->tuple.lport != t->lport)))
		named = NULL;
	if (named && named->role == TCPHS_ROLE_LISTENER && !named->born)
		join(ends, named, l);
	else if (!named)
		tcphs_end_bind(ends, l, sock);
}

void tcphs_listener_name(struct tcphs_ends *ends, struct tcphs_end *e, uint64_t sock)
{
	struct tcphs_end *named = tcphs_end_named(ends, sock);
	struct tcphs_end *counted = counted_by(ends, e);

	e->listener_sock = sock;
	if (!counted || !named || named == counted || named->role != TCPHS_ROLE_LISTENER ||
	    named->closed)
		return;
	tcphs_listener_uncount(ends, e);
	count_syn(ends, named, e, e->waits);
}

void tcphs_listener_uncount(struct tcphs_ends *ends, struct tcphs_end *e)
{
	struct tcphs_end *l = counted_by(ends, e);

	e->asked = 0;
	if (!l)
		return;
	l->counts.syns--;
	l->counts.unanswered -= e->waits;
}

void tcphs_listener_doubt_syn(struct tcphs_ends *ends, struct tcphs_end *e,
			      const struct tcphs_record *lost)
{
	struct tcphs_end *l;

	if (!e->asked || !e->waits || e->last + CLOSING < lost->lost.since)
		return;
	l = counted_by(ends, e);
	if (l)
		l->counts.unanswered--;
	e->waits = false;
}

void tcphs_listener_doubt(struct tcphs_end *l)
{
	l->lossy = true;
	/* It lives if it sends a cookie afterwards. */
	l->counts.cookie_ts = 0;
}

/*
 * A RST to an ACK that came to a listener and carried back no cookie: the kernel
 * takes every such ACK for one while it has sent cookies not long ago. Where a
 * socket resets, its own record comes first.
 */
static bool answers_no_cookie(const struct tcphs_end *l, const struct tcphs_end *e,
			      const struct tcphs_record *r)
{
	const struct tcphs_segment *s = &r->segment;

	return s->mark & TCPHS_SEG_OUT &&
	       (s->flags & (TCPHS_SYN | TCPHS_RST | TCPHS_ACK)) == TCPHS_RST &&
	       l->counts.cookie_ts && r->ts - l->counts.cookie_ts < COOKIE_VALID &&
	       (!e->socket || e->closed) &&
	       !(e->records && e->record[e->records - 1].kind == TCPHS_RESET);
}

/*
 * As the kernel counts ListenOverflows: what would have made a child, or a request. A RST
 * does neither, nor does a SYN that has its request already, nor an ACK that brings no
 * cookie back.
 */
bool tcphs_listener_overflows(const struct tcphs_segment *s, bool request, bool cookie)
{
	if (!(s->mark & TCPHS_SEG_ACCEPT_FULL) || s->flags & TCPHS_RST)
		return false;
	return s->flags & TCPHS_SYN ? !request : request || cookie;
}

void tcphs_listener_count(struct tcphs_ends *ends, struct tcphs_end *e,
			  const struct tcphs_record *r)
{
	const struct tcphs_segment *s = &r->segment;
	bool out = s->mark & TCPHS_SEG_OUT;
	struct tcphs_end *l, *counted;

	/* What comes in a living connection is not for who listens. */
	if (e->role == TCPHS_ROLE_ACTIVE || e->role == TCPHS_ROLE_LISTENER ||
	    (s->flags & TCPHS_SYN && !out && e->full && !e->closed &&
	     e->state != TCPHS_SYN_RECV))
		return;
	l = listener_of(ends, e);
	if (!l)
		return;
	if (tcphs_listener_overflows(s, e->socket, e->cookie))
		l->counts.overflowed++;
	if (s->flags & TCPHS_SYN && !out) {
		count_syn(ends, l, e, !e->lossy && is_whole(ends, r));
		return;
	}
	if (s->flags & TCPHS_SYN) {
		l->counts.synacks++;
		if (s->mark & TCPHS_SEG_COOKIE) {
			l->counts.cookies_sent++;
			if (is_whole(ends, r))
				l->counts.cookie_ts = r->ts;
		}
	} else if (answers_no_cookie(l, e, r) && is_whole(ends, r)) {
		l->counts.cookies_failed++;
	}
	if (!out || !e->asked)
		return;
	counted = counted_by(ends, e);
	if (counted)
		counted->counts.unanswered -= e->waits;
	e->asked = 0;
}

void tcphs_listener_owner(struct tcphs_ends *ends, struct tcphs_end *e)
{
	const struct tcphs_end *l;
	size_t i;

	if (e->listener.known || !e->in_table)
		return;
	l = listener_of(ends, e);
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

/* ---- as text -------------------------------------------------------------- */

#define append(text, ...) tcphs_text_append(text, TCPHS_LISTENER_SIZE, __VA_ARGS__)

char *tcphs_listener_text(const struct tcphs_end *l, char text[TCPHS_LISTENER_SIZE])
{
	const struct tcphs_listener_counts *n = &l->counts;

	text[0] = '\0';
	if (tcphs_listener_is_lossy(l))
		return text;
	if (n->syns)
		append(text, "%" PRIu64 " SYN, %" PRIu64 " SYN,ACK", n->syns, n->synacks);
	if (n->cookies_sent)
		append(text, ", %" PRIu64 " cookie%s sent, %" PRIu64 " accepted, %" PRIu64
		       " failed", n->cookies_sent, tcphs_number_plural(n->cookies_sent),
		       n->cookies_accepted, n->cookies_failed);
	if (n->unanswered)
		append(text, ", %" PRIu64 " SYN dropped", n->unanswered);
	if (n->overflowed)
		append(text, "%saccept queue overflowed %" PRIu64 " time%s",
		       *text ? ", " : "", n->overflowed, tcphs_number_plural(n->overflowed));
	return text;
}

bool tcphs_listener_is_lossy(const struct tcphs_end *l)
{
	return l->lossy || (!l->born && l->after_loss);
}

const char *tcphs_listener_whole(const struct tcphs_end *l)
{
	if (tcphs_listener_is_lossy(l))
		return "lossy";
	return l->born ? "complete" : "partial";
}
