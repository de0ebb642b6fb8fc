/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_DUE_H
#define TCPHS_DUE_H

#include "end.h"
#include "flow.h"

struct tcphs_due_entry {
	struct tcphs_end *end;	/* NULL: it is gone */
	uint64_t ts;
};

/*
 * When a connection is over, and giving it out then. Ends that are over wait a
 * little for their last records, in a ring, in the order in which they ended.
 */
struct tcphs_due {
	struct tcphs_ends *ends;
	bool follow;		/* TIME_WAIT is over enough */
	tcphs_flow_give *give;
	void *arg;
	struct tcphs_due_entry *entry;
	size_t begin;
	size_t count;
	size_t room;
	uint64_t swept;
	uint64_t fed;		/* records since then */
	uint64_t visited;	/* ends that were looked at then */
};

/* At `ts` e got a record: queue it if its connection is over. */
void tcphs_due_check(struct tcphs_due *d, struct tcphs_end *e, uint64_t ts);

/* It is `now`: give out what has waited long enough. */
void tcphs_due_advance(struct tcphs_due *d, uint64_t now);

/*
 * Once in a while: give out half-open ends that nobody cares for any more, and
 * forget what was given out long ago.
 */
void tcphs_due_sweep(struct tcphs_due *d, uint64_t now);

/* Give out e and its peer now. */
void tcphs_due_give(struct tcphs_due *d, struct tcphs_end *e);

/* Take an end out of the queue before its memory goes. */
void tcphs_due_forget(struct tcphs_due *d, const struct tcphs_end *e);

#endif
