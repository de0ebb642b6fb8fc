/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_ORDER_H
#define TCPHS_ORDER_H

#include <stdio.h>

#include "connection.h"

/* Rows of connections, kept until all are there and then sorted. */
enum tcphs_order_key {
	TCPHS_ORDER_NONE,
	TCPHS_ORDER_START,
	TCPHS_ORDER_OPEN,
	TCPHS_ORDER_CLOSE,
	TCPHS_ORDER_HANDSHAKE,
	TCPHS_ORDER_DURATION,
	TCPHS_ORDER_BYTES,
	TCPHS_ORDER_RETRANSMITS,
	TCPHS_ORDER_CLIENT,
	TCPHS_ORDER_SERVER,
	TCPHS_ORDER_KEYS,
};

/* Their names, for messages: "start, open, ...". */
#define TCPHS_ORDER_NAMES \
	"start, open, close, handshake, duration, bytes, retransmits, client, server"

/* The key of that name, TCPHS_ORDER_NONE if there is none. */
enum tcphs_order_key tcphs_order_find(const char *name);

struct tcphs_order;

struct tcphs_order *tcphs_order_new(enum tcphs_order_key key, bool reverse);
void tcphs_order_free(struct tcphs_order *o);

/* The row `text` of c; the order frees it. */
void tcphs_order_add(struct tcphs_order *o, const struct tcphs_connection *c, char *text);

/*
 * Print the first `count` rows (0: all), and forget all. What is not known comes
 * last, and equal ones in the order in which they were added.
 */
void tcphs_order_print(struct tcphs_order *o, uint64_t count, FILE *to);

/* Sent by both sides; what is unknown counts nothing. Returns whether any is known. */
bool tcphs_order_bytes(const struct tcphs_connection *c, uint64_t *bytes);

/* Segments sent again, of all kinds; false: unknown. */
bool tcphs_order_copies(const struct tcphs_connection *c, uint64_t *copies);

#endif
