// SPDX-License-Identifier: GPL-2.0
/*
 * For hosts a and b let o be what has to be added to b's times to get a's.
 *
 *	b sends at tb, a receives at ta:	tb + o <= ta	o <= ta - tb
 *	a sends at ta, b receives at tb:	ta <= tb + o	o >= ta - tb
 *
 * Of a segment that was sent or came several times the first sending and the
 * last arrival are taken: their bound holds whichever copy it was that came.
 *
 * Two quartz clocks drift. Where no constant o meets all bounds, a line is
 * laid between the lower and the upper ones, as far from both as can be. With
 * three hosts or more the bounds are combined over all ways between two hosts
 * (Floyd, Warshall): the middle then meets all of them together.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "align.h"
#include "memory.h"
#include "names.h"
#include "options.h"
#include "table.h"

enum {
	SEGMENTS_MAX = 1 << 18,	/* remembered; then only a half of the connections */
	NOBODY = 0xffff,
	STEPS = 120,		/* of the search for a drift */
};

/* No two clocks of machines that work are further apart: 1000 ppm. */
#define DRIFT_MAX 1e-3

#define UNKNOWN INFINITY

/* 2^62 ns are 146 years: of damaged recordings only. */
#define TIME_MAX (1LL << 62)
#define OFFSET_MAX (1LL << 61)

/* A segment that one host sent and another one received. */
struct meeting {
	struct tcphs_table_link link;
	uint64_t connection;	/* the same for both ways and both ends */
	uint64_t sent;		/* first */
	uint64_t received;	/* last */
	uint16_t sender;
	uint16_t receiver;
	bool mixed;		/* more than one host claims it */
};

struct tcphs_align {
	size_t hosts;
	struct tcphs_table table;
	uint64_t mask;		/* connections with a bit of these are left out */

	uint64_t *since;	/* first record of each host */
	double *drift;
	double *room;		/* [a * hosts + b]: the most to add to b's time */
};

/* ---- what is fed ---------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t value)
{
	h = (h ^ value) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

static uint64_t address_hash(const uint8_t bytes[16], uint16_t port)
{
	uint64_t part[2];

	memcpy(part, bytes, sizeof(part));
	return mix(mix(mix(1, part[0]), part[1]), port);
}

/* The same at both ends; no two segments of a recording share one by chance. */
static uint64_t segment_hash(const struct tcphs_segment *s, uint64_t from, uint64_t to)
{
	struct tcphs_options o;
	uint64_t h = mix(mix(1, from), to);

	tcphs_options_decode(s, &o);
	h = mix(h, (uint64_t)s->seq << 32 | (s->flags & TCPHS_ACK ? s->ack : 0));
	h = mix(h, (uint64_t)s->len << 8 | s->flags);
	return mix(h, (uint64_t)o.tsval << 32 | o.tsecr);
}

static struct meeting *find(struct tcphs_align *a, uint64_t hash)
{
	return (struct meeting *)tcphs_table_first(&a->table, hash);
}

/* Too many are remembered: half of the connections must do. */
static void thin_out(struct tcphs_align *a)
{
	struct tcphs_table_link *l, *next;
	size_t i;

	a->mask = a->mask << 1 | 1;
	for (i = 0; i < a->table.buckets; i++) {
		for (l = a->table.bucket[i]; l; l = next) {
			struct meeting *m = (struct meeting *)l;

			next = l->next;
			if (!(m->connection & a->mask))
				continue;
			tcphs_table_remove(&a->table, l);
			free(m);
		}
	}
}

void tcphs_align_feed(struct tcphs_align *a, size_t host, const struct tcphs_record *r)
{
	bool out = r->segment.mark & TCPHS_SEG_OUT;
	uint64_t local, remote, connection, hash;
	struct tcphs_tuple t;
	struct meeting *m;

	if (r->kind != TCPHS_LOST && (!a->since[host] || r->ts < a->since[host]))
		a->since[host] = r->ts;
	if (r->kind != TCPHS_SEGMENT)
		return;
	tcphs_address_tuple(r, &t);
	if (!tcphs_address_whole(&t))
		return;
	local = address_hash(t.local, t.lport);
	remote = address_hash(t.remote, t.rport);
	connection = mix(0, local ^ remote);
	if (connection & a->mask)
		return;
	hash = out ? segment_hash(&r->segment, local, remote) :
		     segment_hash(&r->segment, remote, local);
	m = find(a, hash);
	if (!m) {
		if (a->table.count >= SEGMENTS_MAX)
			thin_out(a);
		m = tcphs_memory_get(1, sizeof(*m));
		m->connection = connection;
		m->sender = m->receiver = NOBODY;
		tcphs_table_add(&a->table, &m->link, hash);
	}
	if (out) {
		m->mixed |= m->sender != NOBODY && m->sender != host;
		if (m->sender == NOBODY || r->ts < m->sent)
			m->sent = r->ts;
		m->sender = host;
	} else {
		m->mixed |= m->receiver != NOBODY && m->receiver != host;
		if (m->receiver == NOBODY || r->ts > m->received)
			m->received = r->ts;
		m->receiver = host;
	}
}

static bool counts(const struct meeting *m)
{
	return !m->mixed && m->sender != NOBODY && m->receiver != NOBODY &&
	       m->sender != m->receiver;
}

/* Calls `each` for every segment that compares two hosts. */
static void visit(const struct tcphs_align *a,
		  void (*each)(void *arg, const struct meeting *m), void *arg)
{
	struct tcphs_table_link *l;
	size_t i;

	for (i = 0; i < a->table.buckets; i++)
		for (l = a->table.bucket[i]; l; l = l->next)
			if (counts((struct meeting *)l))
				each(arg, (struct meeting *)l);
}

/* ---- drift ---------------------------------------------------------------- */

/* A bound at a time, both from the first one of the pair on. */
struct bound {
	double at;		/* of b's clock */
	double difference;	/* a's time minus b's */
};

/* The bounds of hosts a and b. */
struct pair {
	const struct tcphs_align *align;
	size_t a;
	size_t b;
	bool begun;
	uint64_t base_a;
	uint64_t base_b;
	struct bound *bound[2];	/* lower, upper */
	size_t count[2];
	size_t room[2];
};

static void add_bound(void *arg, const struct meeting *m)
{
	struct pair *p = arg;
	unsigned int upper = m->sender == p->b;
	uint64_t ta = upper ? m->received : m->sent, tb = upper ? m->sent : m->received;
	double drift = p->align->drift[p->a];

	if (!(m->sender == p->a && m->receiver == p->b) &&
	    !(m->sender == p->b && m->receiver == p->a))
		return;
	if (!p->begun) {
		p->begun = true;
		p->base_a = ta;
		p->base_b = tb;
	}
	p->bound[upper] = tcphs_memory_grow(p->bound[upper], p->count[upper],
					    &p->room[upper], sizeof(struct bound));
	/* a's own drift is known already. */
	p->bound[upper][p->count[upper]++] = (struct bound){
		.at = (double)(int64_t)(tb - p->base_b),
		.difference = (double)(int64_t)(ta - p->base_a) * (1 + drift) -
			      (double)(int64_t)(tb - p->base_b),
	};
}

/* How much room a line of this slope has between lower and upper bounds. */
static double room_at(const struct pair *p, double slope)
{
	double lower = -INFINITY, upper = INFINITY;
	size_t i;

	for (i = 0; i < p->count[0]; i++)
		lower = fmax(lower, p->bound[0][i].difference - slope * p->bound[0][i].at);
	for (i = 0; i < p->count[1]; i++)
		upper = fmin(upper, p->bound[1][i].difference - slope * p->bound[1][i].at);
	return upper - lower;
}

/*
 * The drift of host b, when that of host a is known. The room is a concave
 * function of the slope: its top is found by thirds. While none is needed, none
 * is assumed: a few segments would allow nearly any.
 */
static double find_drift(const struct tcphs_align *align, size_t a, size_t b)
{
	struct pair p = { .align = align, .a = a, .b = b };
	double from = -DRIFT_MAX, to = DRIFT_MAX, slope = align->drift[a];
	unsigned int i;

	visit(align, add_bound, &p);
	if (p.count[0] && p.count[1] && room_at(&p, slope) < 0) {
		for (i = 0; i < STEPS; i++) {
			double x = from + (to - from) / 3, y = to - (to - from) / 3;

			if (room_at(&p, x) < room_at(&p, y))
				from = x;
			else
				to = y;
		}
		slope = (from + to) / 2;
	}
	free(p.bound[0]);
	free(p.bound[1]);
	return slope;
}

/* ---- offsets -------------------------------------------------------------- */

/* The host's time with its drift taken out, from its first record on. */
static double even(const struct tcphs_align *a, size_t host, uint64_t ts)
{
	double gone = (double)(int64_t)(ts - a->since[host]);

	return gone * (1 + a->drift[host]);
}

static void add_room(void *arg, const struct meeting *m)
{
	struct tcphs_align *a = arg;
	/* To the sender's times no more may be added than that. */
	double most = even(a, m->receiver, m->received) - even(a, m->sender, m->sent);
	double *room = &a->room[m->receiver * a->hosts + m->sender];

	if (most < *room)
		*room = most;
}

static void count_segment(void *arg, const struct meeting *m)
{
	struct tcphs_align_clock *clock = arg;

	clock[m->sender].segments++;
	clock[m->receiver].segments++;
}

/* Which hosts share segments that went both ways. */
static void mark_both_ways(void *arg, const struct meeting *m)
{
	struct tcphs_align *a = arg;

	a->room[m->receiver * a->hosts + m->sender] = 0;
}

static void clear_room(struct tcphs_align *a)
{
	size_t i;

	for (i = 0; i < a->hosts * a->hosts; i++)
		a->room[i] = UNKNOWN;
}

/* From the reference outwards, each host by one that is known. */
static void find_drifts(struct tcphs_align *a)
{
	bool *known = tcphs_memory_get(a->hosts, sizeof(*known));
	bool more = true;
	size_t x, y;

	clear_room(a);
	visit(a, mark_both_ways, a);
	known[0] = true;
	while (more) {
		more = false;
		for (x = 0; x < a->hosts; x++) {
			for (y = 0; known[x] && y < a->hosts; y++) {
				if (known[y] || isinf(a->room[x * a->hosts + y]) ||
				    isinf(a->room[y * a->hosts + x]))
					continue;
				a->drift[y] = find_drift(a, x, y);
				known[y] = more = true;
			}
		}
	}
	free(known);
}

/* Bounds that contradict each other: let both give way by as much as needed. */
static void settle(struct tcphs_align *a, struct tcphs_align_clock *clock)
{
	size_t n = a->hosts, x, y;

	for (x = 0; x < n; x++) {
		for (y = x + 1; y < n; y++) {
			double *up = &a->room[x * n + y], *down = &a->room[y * n + x];
			double gap = *up + *down, middle = (*up - *down) / 2;

			if (isinf(*up) || isinf(*down) || gap >= 0)
				continue;
			*up = middle - gap / 2;
			*down = -middle - gap / 2;
			clock[x].uneven |= x != 0;
			clock[y].uneven = true;
		}
	}
}

static void combine(struct tcphs_align *a)
{
	size_t n = a->hosts, x, y, by;

	for (by = 0; by < n; by++)
		for (x = 0; x < n; x++)
			for (y = 0; y < n; y++)
				a->room[x * n + y] = fmin(a->room[x * n + y],
							  a->room[x * n + by] +
							  a->room[by * n + y]);
}

/* What the wall clocks say, as far as the bounds allow. */
static double by_wall(const struct tcphs_align *a, const int64_t *wall, size_t host)
{
	double o = (double)(wall[host] - wall[0]) +
		   (double)(int64_t)(a->since[host] - a->since[0]);
	double most = a->room[host], least = -a->room[host * a->hosts];

	return fmax(least, fmin(most, o));
}

/* The sum, or what is nearest to it. */
static int64_t limit(int64_t a, int64_t b)
{
	__int128 sum = (__int128)a + b;

	return sum > OFFSET_MAX ? OFFSET_MAX : sum < -OFFSET_MAX ? -OFFSET_MAX : (int64_t)sum;
}

void tcphs_align_find(struct tcphs_align *a, const int64_t *wall,
		      struct tcphs_align_clock *clock)
{
	size_t n = a->hosts, i;

	memset(clock, 0, n * sizeof(*clock));
	visit(a, count_segment, clock);
	find_drifts(a);
	clear_room(a);
	for (i = 0; i < n; i++)
		a->room[i * n + i] = 0;
	visit(a, add_room, a);
	settle(a, clock);
	combine(a);
	for (i = 1; i < n; i++) {
		struct tcphs_align_clock *c = &clock[i];
		double most = a->room[i], least = -a->room[i * n], o;

		if (isinf(most) || isinf(least)) {
			c->how = TCPHS_ALIGN_WALL;
			o = by_wall(a, wall, i);
		} else {
			c->how = TCPHS_ALIGN_EXCHANGE;
			o = (most + least) / 2;
			c->error = (uint64_t)fmax(0, ceil((most - least) / 2));
		}
		c->drift = a->drift[i];
		c->since = a->since[i];
		o = fmax(-(double)OFFSET_MAX, fmin(OFFSET_MAX, o));
		c->offset = limit((int64_t)(a->since[0] - a->since[i]), llround(o));
	}
}

uint64_t tcphs_align_time(const struct tcphs_align_clock *clock, uint64_t ts)
{
	int64_t gone = ts - clock->since;
	__int128 at;

	if (!ts)
		return 0;
	at = (__int128)ts + clock->offset + llround(clock->drift * (double)gone);
	return at < 1 ? 1 : at > TIME_MAX ? TIME_MAX : (uint64_t)at;
}

uint64_t tcphs_align_error(const struct tcphs_align *a, size_t x, size_t y)
{
	double room = a->room[x * a->hosts + y] + a->room[y * a->hosts + x];

	return isinf(room) ? UINT64_MAX : (uint64_t)fmax(0, ceil(room / 2));
}

struct tcphs_align *tcphs_align_new(size_t hosts)
{
	struct tcphs_align *a = tcphs_memory_get(1, sizeof(*a));

	a->hosts = hosts;
	a->since = tcphs_memory_get(hosts, sizeof(*a->since));
	a->drift = tcphs_memory_get(hosts, sizeof(*a->drift));
	a->room = tcphs_memory_get(hosts * hosts, sizeof(*a->room));
	return a;
}

void tcphs_align_free(struct tcphs_align *a)
{
	struct tcphs_table_link *l, *next;
	size_t i;

	if (!a)
		return;
	for (i = 0; i < a->table.buckets; i++) {
		for (l = a->table.bucket[i]; l; l = next) {
			next = l->next;
			free(l);
		}
	}
	tcphs_table_free(&a->table);
	free(a->since);
	free(a->drift);
	free(a->room);
	free(a);
}
