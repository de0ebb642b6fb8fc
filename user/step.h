/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_STEP_H
#define TCPHS_STEP_H

#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "match.h"

/*
 * The steps of a connection while they are made: a row for each segment, whether one
 * side saw it or both, each RST and each gap. Pure, but for memory that is kept for
 * the next connection.
 */
struct tcphs_steps {
	struct tcphs_step *step;
	size_t count;
	size_t room;
};

/* What one end saw, while it is being told. */
struct tcphs_sights {
	const struct tcphs_end *e;
	struct tcphs_sight *out;	/* one piece of memory, with ... */
	size_t *step;		/* per record: the step it became, or NO_STEP */
	uint32_t *entered;	/* per record: see tcphs_side_tell() */
	struct tcphs_sight *in;	/* in the same array, behind them */
	size_t outs;
	size_t ins;
};

#define TCPHS_SIGHTS_NO_STEP SIZE_MAX

/* No steps yet, and memory for `room` of them at the least. */
void tcphs_step_begin(struct tcphs_steps *s, size_t room);

/*
 * Give back `count` steps with their notes, in memory for `room`: what is in a
 * struct tcphs_steps.
 */
void tcphs_step_free(struct tcphs_step *step, size_t count, size_t room);

/* One more step of side `from`, else zeroed. Valid until the next one is added. */
struct tcphs_step *tcphs_step_add(struct tcphs_steps *s, enum tcphs_step_kind kind,
				  unsigned int from);

/*
 * The segments of e; none is a step yet. *v is zeroed, and e has to stay as it is
 * until tcphs_step_unlook(). `entered` has room for e->records, for the caller to fill.
 */
void tcphs_step_look(struct tcphs_sights *v, const struct tcphs_end *e);
void tcphs_step_unlook(struct tcphs_sights *v);

/*
 * The arrows from side `from` to the other one. `sender` or `to` is NULL, or has no
 * segments, when that side is not on this machine. `slack` as of tcphs_match_find().
 */
void tcphs_step_draw(struct tcphs_steps *s, struct tcphs_sights *sender,
		     struct tcphs_sights *to, unsigned int from, uint64_t slack);

/* Each RST that only the socket of side `which` told of (segments=none). */
void tcphs_step_add_resets(struct tcphs_steps *s, const struct tcphs_sights *v,
			   unsigned int which);

/*
 * Where records of side `which` are missing. What is missing at the `other` end, too,
 * is told there; NULL: there is none.
 */
void tcphs_step_add_gaps(struct tcphs_steps *s, const struct tcphs_sights *v,
			 const struct tcphs_sights *other, unsigned int which);

/* Put them in the order of their times. */
void tcphs_step_order(struct tcphs_steps *s);

#endif
