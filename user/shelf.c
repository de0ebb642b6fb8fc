// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "late.h"
#include "memory.h"
#include "shelf.h"

struct kept {
	unsigned long number;
	struct tcphs_connection *connection;
};

struct tcphs_shelf {
	struct kept kept[TCPHS_SHELF_MAX];	/* a ring, in the order of ending */
	size_t begin;
	size_t count;
	size_t steps;
	unsigned long over;

	struct tcphs_shelf_row *row;
	size_t rows;
	size_t room;

	/* While rows are made. */
	tcphs_shelf_wanted *wanted;
	void *arg;
};

struct tcphs_shelf *tcphs_shelf_new(void)
{
	return tcphs_memory_get(1, sizeof(struct tcphs_shelf));
}

static void drop_oldest(struct tcphs_shelf *s)
{
	struct kept *k = &s->kept[s->begin];

	s->begin = (s->begin + 1) % TCPHS_SHELF_MAX;
	s->count--;
	s->steps -= k->connection->nsteps;
	tcphs_connection_free(k->connection);
}

void tcphs_shelf_free(struct tcphs_shelf *s)
{
	while (s->count)
		drop_oldest(s);
	free(s->row);
	free(s);
}

void tcphs_shelf_keep(struct tcphs_shelf *s, unsigned long number,
		      struct tcphs_connection *c)
{
	struct kept *k;

	while (s->count == TCPHS_SHELF_MAX ||
	       (s->count && s->steps + c->nsteps > TCPHS_SHELF_STEPS))
		drop_oldest(s);
	k = &s->kept[(s->begin + s->count++) % TCPHS_SHELF_MAX];
	k->number = number;
	k->connection = c;
	s->steps += c->nsteps;
	s->over++;
}

void tcphs_shelf_take(struct tcphs_shelf *s, unsigned long number,
		      const struct tcphs_record *r)
{
	size_t i;

	/* Of nearly all records there is nothing to be looked for. */
	if (r->kind != TCPHS_TRANSITION || r->transition.via != TCPHS_VIA_TIMEWAIT ||
	    r->transition.new != TCPHS_CLOSE)
		return;
	for (i = 0; i < s->count; i++) {
		struct kept *k = &s->kept[(s->begin + i) % TCPHS_SHELF_MAX];

		if (k->number == number && tcphs_late_take(k->connection, r)) {
			s->steps++;
			return;
		}
	}
}

unsigned long tcphs_shelf_over(const struct tcphs_shelf *s)
{
	return s->over;
}

unsigned long tcphs_shelf_kept(const struct tcphs_shelf *s)
{
	return s->count;
}

/* ---- rows ----------------------------------------------------------------- */

static struct tcphs_shelf_row *add(struct tcphs_shelf *s)
{
	struct tcphs_shelf_row *row;

	s->row = tcphs_memory_grow(s->row, s->rows, &s->room, sizeof(*s->row));
	row = &s->row[s->rows++];
	memset(row, 0, sizeof(*row));
	return row;
}

static void add_living(void *arg, const struct tcphs_end *a, const struct tcphs_end *b)
{
	struct tcphs_shelf *s = arg;
	struct tcphs_shelf_row *row;

	unsigned long number = a->number || !b ? a->number : b->number;

	/* Without a number it is a socket of which nothing is known yet. */
	if (!number || !s->wanted(s->arg, &a->tuple, a->netns, b ? b->netns : 0))
		return;
	row = add(s);
	row->number = number;
	row->start = b && b->first < a->first ? b->first : a->first;
	row->a = a;
	row->b = b;
}

static void add_over(struct tcphs_shelf *s, const struct kept *k)
{
	const struct tcphs_side *client = &k->connection->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &k->connection->side[TCPHS_SERVER];
	struct tcphs_shelf_row *row;
	struct tcphs_tuple t = { 0 };

	memcpy(t.local, client->address, sizeof(t.local));
	memcpy(t.remote, server->address, sizeof(t.remote));
	t.lport = client->port;
	t.rport = server->port;
	t.inet6 = client->inet6;
	if (!s->wanted(s->arg, &t, client->netns, server->netns))
		return;
	row = add(s);
	row->number = k->number;
	row->start = k->connection->start;
	row->over = k->connection;
}

static int by_number(const void *a, const void *b)
{
	const struct tcphs_shelf_row *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

const struct tcphs_shelf_row *tcphs_shelf_rows(struct tcphs_shelf *s,
					       const struct tcphs_flow *flow,
					       tcphs_shelf_wanted *wanted, void *arg,
					       size_t *count)
{
	size_t i;

	s->wanted = wanted;
	s->arg = arg;
	s->rows = 0;
	for (i = 0; i < s->count; i++)
		add_over(s, &s->kept[(s->begin + i) % TCPHS_SHELF_MAX]);
	tcphs_flow_look(flow, add_living, s);
	if (s->rows)
		qsort(s->row, s->rows, sizeof(*s->row), by_number);
	*count = s->rows;
	return s->row;
}
