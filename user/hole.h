/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_HOLE_H
#define TCPHS_HOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

/*
 * Which records several recordings of one load of the module all miss: those that
 * the one lost the other may have. Pure.
 */
struct tcphs_holes;

struct tcphs_holes *tcphs_hole_new(void);
void tcphs_hole_free(struct tcphs_holes *h);

/* What is fed from here on is of another recording. */
void tcphs_hole_begin(struct tcphs_holes *h);

/* A record of it, in the order of the stream. */
void tcphs_hole_feed(struct tcphs_holes *h, const struct tcphs_record *r);

/*
 * All has been fed. Returns TCPHS_LOST records for what none of them has, which the
 * caller frees, in the order in which they are to be told: each where a recording
 * has it, or where it begins.
 */
struct tcphs_record *tcphs_hole_find(struct tcphs_holes *h, size_t *count);

/* The hole is to be told before a record of this time. */
bool tcphs_hole_precedes(const struct tcphs_record *hole, uint64_t ts);

#endif
