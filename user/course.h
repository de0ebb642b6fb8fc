/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_COURSE_H
#define TCPHS_COURSE_H

#include "connection.h"

/*
 * The course of a connection: every moment of it in the order of time, for
 * drawings that give sending and arrival a place each. Pure.
 */
enum tcphs_moment_kind {
	TCPHS_MOMENT_STATE,	/* `side` enters `state` */
	TCPHS_MOMENT_LEAVES,	/* a segment leaves `side`, or is only known from
				 * its arrival: step->sent is 0, `ts` the arrival
				 */
	TCPHS_MOMENT_COMES,	/* it comes to `side`, as seen there */
	TCPHS_MOMENT_DATA,	/* what was sent meanwhile, not recorded one by one */
	TCPHS_MOMENT_GAP,	/* records were lost: step->note */
	TCPHS_MOMENT_OMITTED,	/* `count` steps are not told, to keep it short */
};

struct tcphs_moment {
	enum tcphs_moment_kind kind;
	uint8_t side;
	uint8_t state;
	uint64_t ts;
	size_t step;		/* index in c->steps; STATE, DATA: SIZE_MAX if none */
	uint64_t bytes[2];	/* DATA: sent by each side */
	size_t count;		/* OMITTED */
	size_t made;
};

struct tcphs_course {
	struct tcphs_moment *moment;
	size_t count;
	size_t room;
};

/*
 * At most about `limit` steps are told: the first and the last ones; 0: all.
 * What is in between is one OMITTED moment.
 */
void tcphs_course_find(struct tcphs_course *o, const struct tcphs_connection *c,
		       size_t limit);

void tcphs_course_free(struct tcphs_course *o);

#endif
