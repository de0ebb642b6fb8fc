/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_CLOCK_H
#define TCPHS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/* How a row's time is written, and what the rows before it were. */
struct tcphs_clock {
	enum tcphs_times times;
	int64_t wall_offset;	/* CLOCK_REALTIME - the records' clock, ns */
	bool begun;
	uint64_t first;
	uint64_t last;
	/* Where the last row's second began, and its text: the calendar is dear. */
	bool written;
	uint64_t second;
	size_t size;
	char text[32];
};

#define TCPHS_CLOCK_SIZE 48

/*
 * The time of a row at `ts`, as tcpdump's -t, -tt, ... write it; the default is
 * local wall-clock time. "" with -t. Remembers `ts` as the last row's. Returns
 * `text`.
 */
char *tcphs_clock_row(struct tcphs_clock *c, uint64_t ts, char text[TCPHS_CLOCK_SIZE]);

/* The same, without a NUL behind it, into `to`, of the same size. Returns its end. */
char *tcphs_clock_put(struct tcphs_clock *c, uint64_t ts, char *to);

/* "2025-11-21 02:13:44.123456" in local time. Returns `text`. */
char *tcphs_clock_date(const struct tcphs_clock *c, uint64_t ts,
		       char text[TCPHS_CLOCK_SIZE]);

#endif
