/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_RUNG_H
#define TCPHS_RUNG_H

#include "connection.h"

/*
 * The rungs of a ladder, in the order of time: a row of text each, where a course
 * (course.h) has a place for each moment. Pure.
 */
enum tcphs_rung_kind {
	TCPHS_RUNG_ARROW,	/* a segment, sent and received */
	TCPHS_RUNG_LEAVES,	/* ... only sent here: something happens before */
	TCPHS_RUNG_COMES,	/* ... it is received */
	TCPHS_RUNG_STATE,
	TCPHS_RUNG_DATA,	/* a sum of what was not recorded one by one */
	TCPHS_RUNG_GAP,
};

struct tcphs_rung {
	enum tcphs_rung_kind kind;
	uint64_t ts;
	const struct tcphs_step *step;	/* NULL: DATA */
	uint64_t bytes[2];		/* DATA: sent by each */
	size_t made;
};

struct tcphs_rungs {
	struct tcphs_rung *rung;
	size_t count;
	size_t room;
};

void tcphs_rung_make(struct tcphs_rungs *r, const struct tcphs_connection *c);

void tcphs_rung_free(struct tcphs_rungs *r);

#endif
