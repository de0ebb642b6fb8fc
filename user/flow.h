/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_FLOW_H
#define TCPHS_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

#include "end.h"

/*
 * Records in, connections out. Pure: no input, no output, no clock but the
 * records' own. Records are joined to ends (end.h); two ends whose tuples mirror
 * each other and whose initial sequence numbers agree are one connection.
 */

/*
 * Called when a connection is over (and at the end of the stream for those that
 * are not). `b` is NULL unless both ends are local. The ends are freed after it.
 */
typedef void tcphs_flow_give(void *arg, const struct tcphs_end *a,
			     const struct tcphs_end *b);

struct tcphs_flow;

/*
 * `follow`: a connection is over as soon as it has reached TIME_WAIT, whose end
 * is 60 s away, instead of after it.
 */
struct tcphs_flow *tcphs_flow_new(bool follow, tcphs_flow_give *give, void *arg);

/* Whose records they are; valid as long as the flow. */
void tcphs_flow_hosts(struct tcphs_flow *f, const struct tcphs_hosts *hosts);

void tcphs_flow_free(struct tcphs_flow *f);

/* Take one record; they come in the order of the stream. */
void tcphs_flow_feed(struct tcphs_flow *f, const struct tcphs_record *r);

/* It is `now` (ns, the records' clock): give out what was over a while ago. */
void tcphs_flow_advance(struct tcphs_flow *f, uint64_t now);

/* The stream has ended: give out everything, oldest first. */
void tcphs_flow_finish(struct tcphs_flow *f);

/*
 * ts of the oldest beginning among the connections that have not been given
 * out; UINT64_MAX when there is none. None given out later begins before it.
 */
uint64_t tcphs_flow_oldest(const struct tcphs_flow *f);

/*
 * Show every connection that has not been given out to `look`, which keeps
 * nothing of it. Listeners are left out.
 */
void tcphs_flow_look(const struct tcphs_flow *f, tcphs_flow_give *look, void *arg);

/* The end (or listener) that a full record belongs to now; NULL unknown. */
struct tcphs_end *tcphs_flow_find(const struct tcphs_flow *f, const struct tcphs_record *r);

/*
 * The number of the connection of this end: 1 for the first one that was asked for,
 * and so on; 0 for none (a listener, NULL). It is in `number` of both ends when they
 * are given out.
 */
unsigned long tcphs_flow_number(struct tcphs_flow *f, struct tcphs_end *e);

#endif
