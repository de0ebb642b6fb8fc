/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_MATCH_H
#define TCPHS_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

/* A segment as one side saw it. */
struct tcphs_sight {
	uint64_t ts;
	const struct tcphs_segment *segment;
	size_t record;		/* its index in the end's records */
	size_t partner;		/* the sight at the other side, or NO_PARTNER */
	uint32_t covered;	/* payload bytes that are told by other sights */
};

#define TCPHS_MATCH_NONE SIZE_MAX

/*
 * Which sending is which arrival. Both arrays are in the order of time. A
 * segment may arrive in other cuts than it was sent in (GSO, GRO): then the
 * sending's partner is the last cut, and cuts are covered, not partnered. `slack`: so
 * much before its sending, in ns, an arrival may seem to be, where two clocks disagree.
 */
void tcphs_match_find(struct tcphs_sight *out, size_t outs,
		      struct tcphs_sight *in, size_t ins, uint64_t slack);

/* They have the same window and options; copies with timestamps do not. */
bool tcphs_match_is_alike(const struct tcphs_segment *a, const struct tcphs_segment *b);

#endif
