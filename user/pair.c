// SPDX-License-Identifier: GPL-2.0
/* Two ends whose tuples mirror each other are one connection, if numbers agree. */
#include "host.h"
#include "pair.h"

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
 * Both in one netns at the same time: there an address is one place only, and
 * two sockets with mirrored tuples can have nobody else.
 */
static bool neighbours(const struct tcphs_end *a, const struct tcphs_end *b)
{
	return a->netns == b->netns && a->first <= b->last && b->first <= a->last;
}

/*
 * Both sockets are older than the records of their host, and so lived at the same time
 * when these began. In two namespaces each may have its peer elsewhere, but hardly both
 * with the same two addresses and ports.
 */
static bool both_older(const struct tcphs_end *a, const struct tcphs_end *b)
{
	return a->socket && b->socket && !a->born && !b->born && !a->after_loss &&
	       !b->after_loss && !tcphs_host_differs(a->netns, b->netns);
}

void tcphs_pair_find(struct tcphs_ends *s, struct tcphs_end *e, bool weak)
{
	struct tcphs_tuple mirror;
	struct tcphs_table_link *l;

	if (e->peer || !e->in_table || e->role == TCPHS_ROLE_LISTENER)
		return;
	tcphs_address_mirror(&e->tuple, &mirror);
	/* A socket connected to itself is both ends. */
	if (tcphs_address_equal(&e->tuple, &mirror))
		return;
	for (l = tcphs_table_first(&s->by_tuple, tcphs_address_hash(&mirror)); l;
	     l = tcphs_table_next(l)) {
		struct tcphs_end *p = tcphs_end_of_link(l);

		if (p->peer || p->stub || !tcphs_address_equal(&p->tuple, &mirror))
			continue;
		if (numbers_meet(e, p) ||
		    (weak && agree(e->iss_known, e->iss, p->irs_known, p->irs) &&
		     agree(e->irs_known, e->irs, p->iss_known, p->iss) &&
		     (neighbours(e, p) || both_older(e, p) || segments_meet(e, p) ||
		      segments_meet(p, e)))) {
			e->peer = p;
			p->peer = e;
			return;
		}
	}
}
