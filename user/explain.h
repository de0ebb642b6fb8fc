/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_EXPLAIN_H
#define TCPHS_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "connection.h"

/*
 * Each step in plain words: what it is and means, what its numbers say, the
 * section of RFC 9293 (or another RFC), and what Linux does differently. Pure.
 */
struct tcphs_explain {
	const struct tcphs_connection *c;
	bool absolute;		/* sequence numbers as on the wire */
	/* Indexes of steps, by the side that sent them; SIZE_MAX none. */
	size_t first[2];
	size_t syn[2];
	size_t synack[2];
	size_t third;		/* the ACK that ends the three-way handshake */
	size_t ack;		/* the first one that acknowledges data */
	size_t data;		/* the first one with data, of either side */
	size_t fin[2];
	size_t fin_ack[2];	/* the first ACK of the other side's FIN */
	size_t fin_in_one;	/* the second FIN, if nothing had acknowledged the first */
};

/* Look through the connection once; it must live as long as `x` is used. */
void tcphs_explain_begin(struct tcphs_explain *x, const struct tcphs_connection *c,
			 bool absolute);

/* Parts of a step, for arrows that take two rows. */
enum {
	TCPHS_EXPLAIN_LEAVES = 1 << 0,	/* the segment, and the sender's states */
	TCPHS_EXPLAIN_COMES = 1 << 1,	/* the receiver's states */
	TCPHS_EXPLAIN_WHOLE = 3,
};

/* ASCII text for c->steps[i], to be freed; NULL: nothing is to be said. */
char *tcphs_explain_step(const struct tcphs_explain *x, size_t i, unsigned int parts);

/* For a row that sums up data whose segments are not recorded. */
const char *tcphs_explain_data(void);

#endif
