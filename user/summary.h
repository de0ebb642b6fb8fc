/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_SUMMARY_H
#define TCPHS_SUMMARY_H

#include "connection.h"

/*
 * Many connections in a few numbers: how they opened and closed, and how long
 * their handshakes took. Its size does not grow: times are counted in classes
 * that are less than 1 % wide, the longest and the shortest are exact. Pure.
 */
#define TCPHS_SUMMARY_FINE 128			/* classes for each doubling */
#define TCPHS_SUMMARY_CLASSES (58 * TCPHS_SUMMARY_FINE)

struct tcphs_summary {
	uint64_t connections;
	uint64_t listeners;
	uint64_t opens[TCPHS_OPEN_UNSEEN + 1];
	uint64_t closes[TCPHS_CLOSE_UNSEEN + 1];
	uint64_t wholes[TCPHS_WHOLE_LOSSY + 1];
	uint64_t handshakes;			/* of which the time is known */
	uint64_t shortest;			/* ns */
	uint64_t longest;
	double total;				/* ns, of all of them */
	uint64_t count[TCPHS_SUMMARY_CLASSES];
};

void tcphs_summary_add(struct tcphs_summary *s, const struct tcphs_connection *c);

/*
 * The handshake time that `percent` of the handshakes did not exceed, ns, within
 * 1 %; 0 where none is known.
 */
uint64_t tcphs_summary_percentile(const struct tcphs_summary *s, double percent);

/*
 * The histogram's bars: 1, 2, 5, 10 us and so on. Fills `bar` with those from
 * the first to the last that is not empty, TCPHS_SUMMARY_BARS at most, and returns
 * how many. A time that is on a limit may be counted on its other side if it is
 * within 1 % of it.
 */
#define TCPHS_SUMMARY_BARS 40

struct tcphs_summary_bar {
	uint64_t from;		/* ns */
	uint64_t to;
	uint64_t count;
};

size_t tcphs_summary_bars(const struct tcphs_summary *s,
			  struct tcphs_summary_bar bar[TCPHS_SUMMARY_BARS]);

#endif
