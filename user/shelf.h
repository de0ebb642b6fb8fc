/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_SHELF_H
#define TCPHS_SHELF_H

#include "connection.h"

/* So many connections that are over are kept, and at most so many steps. */
#define TCPHS_SHELF_MAX 2000
#define TCPHS_SHELF_STEPS 200000

/*
 * The connections that there are to choose from: those that live, which belong
 * to the flow, and the newest of those that are over, which are kept here.
 */
struct tcphs_shelf;

/* One of them. Valid until the next record is fed. */
struct tcphs_shelf_row {
	unsigned long number;
	uint64_t start;
	const struct tcphs_connection *over;	/* NULL: it lives: */
	const struct tcphs_end *a;
	const struct tcphs_end *b;		/* NULL: not on this machine */
};

struct tcphs_shelf *tcphs_shelf_new(void);
void tcphs_shelf_free(struct tcphs_shelf *s);

/* Keep a connection that is over; the oldest give way. The shelf frees it. */
void tcphs_shelf_keep(struct tcphs_shelf *s, unsigned long number,
		      struct tcphs_connection *c);

/* A record of a connection that may be kept here, for what comes late. */
void tcphs_shelf_take(struct tcphs_shelf *s, unsigned long number,
		      const struct tcphs_record *r);

/* How many are over, and how many of them are kept. */
unsigned long tcphs_shelf_over(const struct tcphs_shelf *s);
unsigned long tcphs_shelf_kept(const struct tcphs_shelf *s);

/*
 * All for which `wanted` says yes, in the order of their numbers. The array
 * belongs to the shelf and is valid until the next call.
 */
typedef bool tcphs_shelf_wanted(void *arg, const struct tcphs_tuple *t, uint32_t netns,
				uint32_t netns_peer);
const struct tcphs_shelf_row *tcphs_shelf_rows(struct tcphs_shelf *s,
					       const struct tcphs_flow *flow,
					       tcphs_shelf_wanted *wanted, void *arg,
					       size_t *count);

#endif
