/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_GAP_H
#define TCPHS_GAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

/* Where a stream's record numbers leap, records were lost. Pure. */
struct tcphs_gaps;

struct tcphs_gaps *tcphs_gap_new(void);
void tcphs_gap_free(struct tcphs_gaps *g);

/*
 * The stream goes on with `r`. Returns true when records before it are missing
 * that no record told of: *lost, a TCPHS_LOST record, tells. A TCPHS_LOST in
 * `r` is taken as told.
 */
bool tcphs_gap_find(struct tcphs_gaps *g, const struct tcphs_record *r,
		    struct tcphs_record *lost);

/*
 * How long a gap lasts, as text that follows "lost": ", from here for 4.2 s"; ""
 * where the record stands behind it. Returns `text`.
 */
#define TCPHS_GAP_TEXT 48
char *tcphs_gap_text(const struct tcphs_record *lost, char text[TCPHS_GAP_TEXT]);

/*
 * `b` came right behind `a`, on the same CPU and at once. What a system call, or a
 * segment, does to a socket in one go may follow so, and hardly what happened to another
 * socket in the same memory, all records of which in between were lost.
 */
#define TCPHS_GAP_AT_ONCE 100000000ULL	/* ns */
static inline bool tcphs_gap_adjoins(const struct tcphs_record *a,
				     const struct tcphs_record *b)
{
	return b->cpu == a->cpu && b->n == a->n + 1 && b->ts - a->ts < TCPHS_GAP_AT_ONCE;
}

/* "5 records"; "some records" where nobody is to know how many. Returns `text`. */
char *tcphs_gap_count(const struct tcphs_record *lost, char text[TCPHS_GAP_TEXT]);

/*
 * One record in two streams: by its number or, where a stream of one namespace has
 * numbers of its own, by whose it is and what it tells.
 */
bool tcphs_gap_same(const struct tcphs_record *a, const struct tcphs_record *b);

/* The same record was among the last 256 of its CPU already. */
bool tcphs_gap_repeats(const struct tcphs_gaps *g, const struct tcphs_record *r);

/*
 * How many of `count` records, from the first on, are each the next of its CPU, as
 * nearly always? They are taken for seen.
 */
size_t tcphs_gap_run(struct tcphs_gaps *g, const struct tcphs_record *r, size_t count);

#endif
