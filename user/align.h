/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_ALIGN_H
#define TCPHS_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

/*
 * The clocks of several hosts, compared by the segments between them. What one
 * host sent before the other received it bounds the difference of their clocks
 * on one side, what went the other way on the other side (the four timestamps of
 * RFC 5905, over all segments at once). In the middle is the estimate, half the
 * room is its error: no segment then arrives before it was sent. Pure.
 */
struct tcphs_align;

enum tcphs_align_how {
	TCPHS_ALIGN_REFERENCE,	/* the others' times are told in this one's */
	TCPHS_ALIGN_EXCHANGE,	/* segments went both ways */
	TCPHS_ALIGN_WALL,	/* by the wall clocks: nothing else compares them */
};

/* How a host's times become the reference's: see tcphs_align_time(). */
struct tcphs_align_clock {
	enum tcphs_align_how how;
	int64_t offset;		/* ns to add */
	double drift;		/* and this much for each ns after `since` */
	uint64_t since;
	uint64_t error;		/* ns, either way; of EXCHANGE only */
	bool uneven;		/* not even a drift explains all segments */
	uint64_t segments;	/* so many segments with another host compare it */
};

/* Host 0 is the reference. */
struct tcphs_align *tcphs_align_new(size_t hosts);
void tcphs_align_free(struct tcphs_align *a);

/* A record of host `host`, in any order; segments count, all else does not. */
void tcphs_align_feed(struct tcphs_align *a, size_t host, const struct tcphs_record *r);

/*
 * All has been fed. `wall` has, for each host, CLOCK_REALTIME minus its clock.
 * Fills clock[hosts].
 */
void tcphs_align_find(struct tcphs_align *a, const int64_t *wall,
		      struct tcphs_align_clock *clock);

/* The time `ts` of that host as the reference's; 0 stays 0: unknown. */
uint64_t tcphs_align_time(const struct tcphs_align_clock *clock, uint64_t ts);

/*
 * How far off the times of hosts `x` and `y` may be from each other, ns;
 * UINT64_MAX: unknown. After tcphs_align_find().
 */
uint64_t tcphs_align_error(const struct tcphs_align *a, size_t x, size_t y);

#endif
