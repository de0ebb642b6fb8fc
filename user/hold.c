// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "gap.h"
#include "hold.h"
#include "memory.h"
#include "table.h"

/* So many records are held at most; a birth that is not told by then never is. */
#define HELD_MAX 65536

#define PATIENCE 2000000000ULL		/* ns of the records' time */
#define IDLE_PATIENCE 250000000ULL	/* ns without any record */

struct held {
	struct tcphs_table_link link;	/* by sock, while it waits */
	struct tcphs_record record;
	bool waits;
};

struct tcphs_hold {
	tcphs_hold_give *give;
	void *arg;
	struct tcphs_table waiting;
	struct held *ring[HELD_MAX];
	struct held *spare;		/* not in use, by link.next */
	uint64_t complete;		/* before this ts records were lost */
	const struct tcphs_hosts *hosts;	/* whose they are; NULL unknown */
	size_t begin;
	size_t count;
};

static struct held *find(struct tcphs_hold *h, uint64_t sock)
{
	struct tcphs_table_link *l = tcphs_table_first(&h->waiting, sock);

	return l ? (struct held *)l : NULL;
}

static void stop_waiting(struct tcphs_hold *h, struct held *held)
{
	tcphs_table_remove(&h->waiting, &held->link);
	held->waits = false;
}

static struct held *pop(struct tcphs_hold *h)
{
	struct held *held = h->ring[h->begin];

	if (held->waits)
		stop_waiting(h, held);
	h->begin = (h->begin + 1) % HELD_MAX;
	h->count--;
	return held;
}

static struct held *get(struct tcphs_hold *h)
{
	struct held *held = h->spare;

	if (!held)
		return tcphs_memory_get(1, sizeof(*held));
	h->spare = (struct held *)held->link.next;
	return held;
}

static void put(struct tcphs_hold *h, struct held *held)
{
	held->link.next = (struct tcphs_table_link *)h->spare;
	h->spare = held;
}

/* Give out from the front what waits for nothing, or has waited too long. */
static void release(struct tcphs_hold *h, uint64_t now, uint64_t patience)
{
	while (h->count) {
		struct held *held = h->ring[h->begin];

		if (held->waits && now < held->record.ts + patience &&
		    h->count < HELD_MAX)
			break;
		held = pop(h);
		h->give(h->arg, &held->record);
		put(h, held);
	}
}

/*
 * A child's address is the listener's, any, until its peer is known. A socket
 * that connects again still has the port of its last connection.
 */
static bool is_birth(const struct tcphs_record *r)
{
	const struct tcphs_transition *t = &r->transition;

	if (r->kind != TCPHS_TRANSITION || t->via != TCPHS_VIA_TRACEPOINT || !r->sock)
		return false;
	return (t->old == TCPHS_CLOSE && t->new == TCPHS_SYN_SENT) ||
	       (t->old == TCPHS_LISTEN && t->new == TCPHS_SYN_RECV);
}

static void tell(struct held *held, const struct tcphs_record *r)
{
	struct tcphs_record *to = &held->record;

	to->flags &= ~(TCPHS_NO_LOCAL_PORT | TCPHS_NO_REMOTE | TCPHS_INET6 |
		       TCPHS_V4MAPPED);
	to->flags |= r->flags & (TCPHS_INET6 | TCPHS_V4MAPPED);
	memcpy(to->saddr, r->saddr, sizeof(to->saddr));
	memcpy(to->daddr, r->daddr, sizeof(to->daddr));
	to->sport = r->sport;
	to->dport = r->dport;
}

/* Of several hosts it is not asked whose were lost. */
static void doubt(struct tcphs_hold *h, const struct tcphs_record *lost)
{
	uint64_t until = lost->lost.until ? lost->lost.until : lost->ts;

	if (until > h->complete)
		h->complete = until;
}

/* What was lost in between may be the end of the one socket and the birth of another. */
static bool may_be_another(const struct tcphs_hold *h, const struct tcphs_record *birth,
			   const struct tcphs_record *r)
{
	return (birth->ts < h->complete ||
		tcphs_host_doubtful(h->hosts, birth->netns, birth->ts)) &&
	       !tcphs_gap_adjoins(birth, r);
}

void tcphs_hold_hosts(struct tcphs_hold *h, const struct tcphs_hosts *hosts)
{
	h->hosts = hosts;
}

void tcphs_hold_feed(struct tcphs_hold *h, const struct tcphs_record *r)
{
	struct held *held;
	bool whole = r->sport && r->dport &&
		     !(r->flags & (TCPHS_NO_LOCAL_PORT | TCPHS_NO_REMOTE));
	bool birth = is_birth(r), waits;

	if (r->kind == TCPHS_LOST)
		doubt(h, r);
	/* Nobody waits, as nearly always. */
	if (!h->count && !birth) {
		h->give(h->arg, r);
		return;
	}
	held = r->sock && r->kind != TCPHS_LOST ? find(h, r->sock) : NULL;
	if (held) {
		if (birth || r->kind == TCPHS_DESTROY) {
			stop_waiting(h, held);
		} else if (whole) {
			if (!may_be_another(h, &held->record, r))
				tell(held, r);
			stop_waiting(h, held);
		} else if (r->kind == TCPHS_TRANSITION &&
			   r->transition.new == TCPHS_CLOSE) {
			stop_waiting(h, held);
		}
	}
	waits = birth && (!whole || r->transition.new == TCPHS_SYN_SENT);
	if (!h->count && !waits) {
		h->give(h->arg, r);
		return;
	}
	held = get(h);
	held->record = *r;
	held->waits = waits;
	if (waits)
		tcphs_table_add(&h->waiting, &held->link, r->sock);
	h->ring[(h->begin + h->count++) % HELD_MAX] = held;
	release(h, r->ts, PATIENCE);
}

void tcphs_hold_idle(struct tcphs_hold *h, uint64_t now)
{
	release(h, now, IDLE_PATIENCE);
}

void tcphs_hold_finish(struct tcphs_hold *h)
{
	release(h, UINT64_MAX, 0);
}

struct tcphs_hold *tcphs_hold_new(tcphs_hold_give *give, void *arg)
{
	struct tcphs_hold *h = tcphs_memory_get(1, sizeof(*h));

	h->give = give;
	h->arg = arg;
	return h;
}

void tcphs_hold_free(struct tcphs_hold *h)
{
	struct held *held;

	while (h->count)
		put(h, pop(h));
	while (h->spare) {
		held = get(h);
		free(held);
	}
	tcphs_table_free(&h->waiting);
	free(h);
}
