// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "end.h"
#include "gap.h"
#include "memory.h"
#include "names.h"

/* ---- names, lists, tuples ------------------------------------------------- */

struct tcphs_end *tcphs_end_of_link(struct tcphs_table_link *l)
{
	return l ? (struct tcphs_end *)((char *)l - offsetof(struct tcphs_end, by_tuple))
		 : NULL;
}

static struct tcphs_binding *find_binding(const struct tcphs_ends *s, uint64_t sock)
{
	if (!sock)
		return NULL;
	/* The hash is the name itself. */
	return (struct tcphs_binding *)tcphs_table_first(&s->by_sock, sock);
}

void tcphs_end_unbind(struct tcphs_ends *s, uint64_t sock)
{
	struct tcphs_binding *b = find_binding(s, sock);

	if (!b)
		return;
	tcphs_table_remove(&s->by_sock, &b->link);
	b->sock = 0;
}

void tcphs_end_bind(struct tcphs_ends *s, struct tcphs_end *e, uint64_t sock)
{
	struct tcphs_binding *b = find_binding(s, sock);
	size_t i;

	if (!sock || (b && b->end == e))
		return;
	tcphs_end_unbind(s, sock);
	/* Request, full socket, TIME_WAIT: never more than 3 at a time. */
	for (i = 0; i < 3 && e->binding[i].sock; i++)
		;
	b = &e->binding[i];
	if (b->sock)
		tcphs_end_unbind(s, b->sock);
	b->sock = sock;
	b->end = e;
	tcphs_table_add(&s->by_sock, &b->link, sock);
}

void tcphs_end_unbind_all(struct tcphs_ends *s, struct tcphs_end *e)
{
	size_t i;

	for (i = 0; i < sizeof(e->binding) / sizeof(e->binding[0]); i++)
		tcphs_end_unbind(s, e->binding[i].sock);
}

static void unlist(struct tcphs_end *e)
{
	struct tcphs_end_list *list = e->list;

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

void tcphs_end_enlist(struct tcphs_end_list *list, struct tcphs_end *e)
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

void tcphs_end_open_gap(struct tcphs_ends *s, const struct tcphs_record *lost)
{
	size_t i;

	for (i = 0; i < s->gaps; i++)
		if (!tcphs_host_differs(s->gap[i].netns, lost->netns))
			break;
	if (i == s->gaps) {
		s->gap = tcphs_memory_grow(s->gap, s->gaps, &s->gaps_room,
					   sizeof(*s->gap));
		s->gap[s->gaps++] = *lost;
	} else if (lost->lost.until > s->gap[i].lost.until) {
		s->gap[i] = *lost;
	}
}

const struct tcphs_record *tcphs_end_gap(const struct tcphs_ends *s,
					 const struct tcphs_record *r)
{
	size_t i;

	for (i = 0; i < s->gaps; i++)
		if (r->ts < s->gap[i].lost.until &&
		    !tcphs_host_differs(s->gap[i].netns, r->netns))
			return &s->gap[i];
	return NULL;
}

bool tcphs_end_misses(const struct tcphs_ends *s, const struct tcphs_record *r)
{
	return tcphs_host_doubtful(s->hosts, r->netns, r->ts) || tcphs_end_gap(s, r);
}

struct tcphs_end *tcphs_end_new(struct tcphs_ends *s, const struct tcphs_record *r)
{
	struct tcphs_end *e = tcphs_memory_get(1, sizeof(*e));

	e->netns = r->netns;
	e->first = e->last = r->ts;
	/* If its beginning stays unseen, that may be because it was lost. */
	e->after_loss = s->lost;
	e->lossy = tcphs_end_misses(s, r);
	tcphs_end_enlist(&s->living, e);
	return e;
}

/* ---- arrays of records ---------------------------------------------------- */

/*
 * Of a flood's SYNs each is the only record of its end: then FEW at once, and then
 * what most connections have, on the way to which nothing is copied often.
 */
enum { FEW = 4, COMMON = 16, SPARES = 1024 };

static void *get_array(struct tcphs_ends *s)
{
	struct tcphs_end_array *array = s->spare;

	if (!array)
		return tcphs_memory_room(COMMON, sizeof(struct tcphs_record));
	s->spare = array->next;
	s->spares--;
	return array;
}

void tcphs_end_forget(struct tcphs_ends *s, struct tcphs_end *e)
{
	struct tcphs_end_array *array = (void *)e->record;

	if (e->room == COMMON && s->spares < SPARES) {
		array->next = s->spare;
		s->spare = array;
		s->spares++;
	} else {
		free(e->record);
	}
	e->record = NULL;
	e->records = e->room = 0;
}

static void grow(struct tcphs_ends *s, struct tcphs_end *e)
{
	struct tcphs_record *record;

	switch (e->room) {
	case 0:
		e->record = tcphs_memory_room(1, sizeof(*e->record));
		e->room = 1;
		break;
	case 1:
	case FEW:
		record = e->room == FEW ? get_array(s) :
					  tcphs_memory_room(FEW, sizeof(*record));
		memcpy(record, e->record, e->room * sizeof(*record));
		free(e->record);
		e->record = record;
		e->room = e->room == FEW ? COMMON : FEW;
		break;
	default:
		e->record = tcphs_memory_grow(e->record, e->records, &e->room,
					      sizeof(*e->record));
	}
}

void tcphs_end_delete(struct tcphs_ends *s, struct tcphs_end *e)
{
	tcphs_end_unbind_all(s, e);
	if (e->in_table)
		tcphs_table_remove(&s->by_tuple, &e->by_tuple);
	if (e->peer)
		e->peer->peer = NULL;
	if (s->fed == e)
		s->fed = NULL;
	unlist(e);
	tcphs_end_forget(s, e);
	free(e);
}

void tcphs_end_delete_all(struct tcphs_ends *s)
{
	while (s->living.oldest)
		tcphs_end_delete(s, s->living.oldest);
	while (s->listeners.oldest)
		tcphs_end_delete(s, s->listeners.oldest);
	while (s->stubs.oldest)
		tcphs_end_delete(s, s->stubs.oldest);
	free(s->gap);
	while (s->spare)
		free(get_array(s));
	tcphs_table_free(&s->by_sock);
	tcphs_table_free(&s->by_tuple);
}

static struct tcphs_end *next_same(const struct tcphs_tuple *t, uint32_t netns,
				   struct tcphs_table_link *l)
{
	for (; l; l = tcphs_table_next(l)) {
		struct tcphs_end *other = tcphs_end_of_link(l);

		if (other->netns == netns && tcphs_address_equal(&other->tuple, t))
			return other;
	}
	return NULL;
}

struct tcphs_end *tcphs_end_newest(const struct tcphs_ends *s,
				   const struct tcphs_tuple *t, uint32_t netns)
{
	if (!tcphs_address_whole(t))
		return NULL;
	return next_same(t, netns,
			 tcphs_table_first(&s->by_tuple, tcphs_address_hash(t)));
}

struct tcphs_end *tcphs_end_older(const struct tcphs_end *e)
{
	return next_same(&e->tuple, e->netns, tcphs_table_next(&e->by_tuple));
}

struct tcphs_end *tcphs_end_named(const struct tcphs_ends *s, uint64_t sock)
{
	struct tcphs_binding *b = find_binding(s, sock);

	return b ? b->end : NULL;
}

struct tcphs_end *tcphs_end_of_sock(const struct tcphs_ends *s,
				     const struct tcphs_record *r,
				     const struct tcphs_tuple *t)
{
	struct tcphs_binding *b = find_binding(s, r->sock);
	struct tcphs_end *e;

	if (!b)
		return NULL;
	e = b->end;
	if (e->netns != r->netns)
		return NULL;
	if (e->role == TCPHS_ROLE_LISTENER || !tcphs_address_whole(t))
		return e;
	if (tcphs_address_whole(&e->tuple) && !tcphs_address_equal(t, &e->tuple))
		return NULL;
	/* What it has no tuple from may be lost, and the name another socket's by now. */
	if (!e->in_table && e->lossy && !tcphs_gap_adjoins(&e->record[0], r))
		return NULL;
	return e;
}

void tcphs_end_set_tuple(struct tcphs_ends *s, struct tcphs_end *e,
		      const struct tcphs_tuple *t)
{
	struct tcphs_end *old;

	if (e->in_table || !tcphs_address_whole(t))
		return;
	e->tuple = *t;
	old = tcphs_end_newest(s, t, e->netns);
	if (old) {
		e->before.known = old->iss_known || old->irs_known;
		e->before.iss_known = old->iss_known;
		e->before.irs_known = old->irs_known;
		e->before.iss = old->iss;
		e->before.irs = old->irs;
	}
	tcphs_table_add(&s->by_tuple, &e->by_tuple, tcphs_address_hash(t));
	e->in_table = true;
}

/* ---- what an end knows of itself ------------------------------------------ */

void tcphs_end_doubt(struct tcphs_end *e, const struct tcphs_record *lost)
{
	uint64_t until = lost->lost.until ? lost->lost.until : lost->ts;

	/* Heard of at that very moment is heard of before. */
	if (until >= e->doubt)
		e->doubt = until + 1;
}

void tcphs_end_append(struct tcphs_ends *s, struct tcphs_end *e,
		      const struct tcphs_record *r)
{
	if (e->records == e->room)
		grow(s, e);
	e->record[e->records++] = *r;
	if (r->kind == TCPHS_LOST) {
		tcphs_end_doubt(e, r);
		return;
	}
	if (r->ts > e->last)
		e->last = r->ts;
	if (r->ts < e->first)
		e->first = r->ts;
}

static void learn_iss(struct tcphs_end *e, uint32_t iss)
{
	if (!e->iss_known) {
		e->iss = iss;
		e->iss_known = true;
	}
}

static void learn_irs(struct tcphs_end *e, uint32_t irs)
{
	if (!e->irs_known && !e->repaired) {
		e->irs = irs;
		e->irs_known = true;
	}
}

/*
 * A socket in repair mode tells no irs, as every other one does here. Later ones come from
 * how much it has received, and what TCP_QUEUE_SEQ set is none of that.
 */
static bool repairs(const struct tcphs_transition *t)
{
	return t->via == TCPHS_VIA_TRACEPOINT && t->old == TCPHS_SYN_SENT &&
	       t->new == TCPHS_ESTABLISHED &&
	       (t->has & (TCPHS_HAS_RCV_NXT | TCPHS_HAS_IRS)) == TCPHS_HAS_RCV_NXT;
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
	e->repaired |= repairs(t);
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

void tcphs_end_learn(struct tcphs_end *e, const struct tcphs_record *r)
{
	if (r->flags & TCPHS_V4MAPPED)
		e->mapped = true;
	switch (r->kind) {
	case TCPHS_TRANSITION:
		learn_transition(e, &r->transition);
		break;
	case TCPHS_SEGMENT:
		learn_segment(e, &r->segment);
		break;
	case TCPHS_RESET:
		if (r->reset.has & TCPHS_HAS_ISS)
			learn_iss(e, r->reset.nr.iss);
		if (r->reset.has & TCPHS_HAS_IRS)
			learn_irs(e, r->reset.nr.irs);
		break;
	}
}
