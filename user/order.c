// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "order.h"

/* An address, or a number: the most significant byte first. */
enum { KEY = 19 };

struct row {
	bool known;
	uint8_t key[KEY];
	size_t added;
	char *text;
};

struct tcphs_order {
	enum tcphs_order_key key;
	bool reverse;
	struct row *row;
	size_t rows;
	size_t room;
};

enum tcphs_order_key tcphs_order_find(const char *name)
{
	static const char *const names[TCPHS_ORDER_KEYS] = {
		[TCPHS_ORDER_START] = "start",
		[TCPHS_ORDER_OPEN] = "open",
		[TCPHS_ORDER_CLOSE] = "close",
		[TCPHS_ORDER_HANDSHAKE] = "handshake",
		[TCPHS_ORDER_DURATION] = "duration",
		[TCPHS_ORDER_BYTES] = "bytes",
		[TCPHS_ORDER_RETRANSMITS] = "retransmits",
		[TCPHS_ORDER_CLIENT] = "client",
		[TCPHS_ORDER_SERVER] = "server",
	};
	enum tcphs_order_key key;

	for (key = TCPHS_ORDER_NONE + 1; key < TCPHS_ORDER_KEYS; key++)
		if (!strcmp(names[key], name))
			return key;
	return TCPHS_ORDER_NONE;
}

/* ---- what is compared ----------------------------------------------------- */

bool tcphs_order_bytes(const struct tcphs_connection *c, uint64_t *bytes)
{
	const struct tcphs_side *s = c->side;

	*bytes = (s[0].bytes_known ? s[0].bytes : 0) + (s[1].bytes_known ? s[1].bytes : 0);
	return s[0].bytes_known || s[1].bytes_known;
}

bool tcphs_order_copies(const struct tcphs_connection *c, uint64_t *copies)
{
	bool known = true;
	size_t i;

	*copies = 0;
	for (i = 0; i < TCPHS_COPIES_KINDS; i++) {
		if (c->copies[i] >= 0)
			*copies += c->copies[i];
		else if (i != TCPHS_COPIES_DATA)
			known = false;
	}
	return known;
}

static void set_number(struct row *row, bool known, uint64_t value)
{
	size_t i;

	row->known = known;
	for (i = 0; i < sizeof(value); i++)
		row->key[i] = value >> (56 - 8 * i);
}

/* IPv4 before IPv6, then by address, then by port. */
static void set_end(struct row *row, const struct tcphs_side *s)
{
	row->known = s->port;
	row->key[0] = s->inet6;
	memcpy(row->key + 1, s->address, sizeof(s->address));
	row->key[17] = s->port >> 8;
	row->key[18] = s->port;
}

static void set_key(struct row *row, enum tcphs_order_key key,
		    const struct tcphs_connection *c)
{
	uint64_t number = 0;
	bool known;

	switch (key) {
	case TCPHS_ORDER_OPEN:
		set_number(row, c->open != TCPHS_OPEN_UNSEEN, c->open);
		break;
	case TCPHS_ORDER_CLOSE:
		set_number(row, c->close != TCPHS_CLOSE_UNSEEN &&
			   c->close != TCPHS_CLOSE_NONE, c->close);
		break;
	case TCPHS_ORDER_HANDSHAKE:
		set_number(row, c->opened, c->opened);
		break;
	case TCPHS_ORDER_DURATION:
		known = tcphs_connection_lasted(c, &number);
		set_number(row, known, number);
		break;
	case TCPHS_ORDER_BYTES:
		known = tcphs_order_bytes(c, &number);
		set_number(row, known, number);
		break;
	case TCPHS_ORDER_RETRANSMITS:
		known = tcphs_order_copies(c, &number);
		set_number(row, known, number);
		break;
	case TCPHS_ORDER_CLIENT:
		set_end(row, &c->side[TCPHS_CLIENT]);
		break;
	case TCPHS_ORDER_SERVER:
		set_end(row, &c->side[TCPHS_SERVER]);
		break;
	default:
		set_number(row, true, c->start);
		break;
	}
}

/* ---- rows ----------------------------------------------------------------- */

struct tcphs_order *tcphs_order_new(enum tcphs_order_key key, bool reverse)
{
	struct tcphs_order *o = tcphs_memory_get(1, sizeof(*o));

	o->key = key;
	o->reverse = reverse;
	return o;
}

static void clear(struct tcphs_order *o)
{
	while (o->rows)
		free(o->row[--o->rows].text);
}

void tcphs_order_free(struct tcphs_order *o)
{
	if (!o)
		return;
	clear(o);
	free(o->row);
	free(o);
}

void tcphs_order_add(struct tcphs_order *o, const struct tcphs_connection *c, char *text)
{
	struct row *row;

	o->row = tcphs_memory_grow(o->row, o->rows, &o->room, sizeof(*o->row));
	row = &o->row[o->rows];
	memset(row, 0, sizeof(*row));
	set_key(row, o->key, c);
	row->added = o->rows++;
	row->text = text;
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct tcphs_order *o = arg;
	const struct row *x = a, *y = b;
	int by_key;

	if (x->known != y->known)
		return x->known ? -1 : 1;
	by_key = x->known ? memcmp(x->key, y->key, KEY) : 0;
	if (by_key)
		return o->reverse ? -by_key : by_key;
	return x->added < y->added ? -1 : x->added > y->added;
}

void tcphs_order_print(struct tcphs_order *o, uint64_t count, FILE *to)
{
	size_t i;

	if (o->rows)
		qsort_r(o->row, o->rows, sizeof(*o->row), compare, o);
	for (i = 0; i < o->rows && (!count || i < count); i++)
		fputs(o->row[i].text, to);
	clear(o);
}
