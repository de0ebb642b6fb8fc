/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_FLOW_H
#define TCPHS_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

#include "address.h"
#include "table.h"

/*
 * Records in, connections out. Pure: no input, no output, no clock but the
 * records' own.
 *
 * An *end* is one side of one connection as this machine's kernel lived it: a
 * request mini-socket, the full socket, a TIME_WAIT mini-socket, one after the
 * other, and the segments that passed there. Two ends whose tuples mirror each
 * other and whose initial sequence numbers agree are one connection.
 */

enum tcphs_role {
	TCPHS_ROLE_UNKNOWN,	/* its beginning was not seen */
	TCPHS_ROLE_ACTIVE,	/* connect(): it sent the first SYN */
	TCPHS_ROLE_PASSIVE,	/* a SYN came to it */
	TCPHS_ROLE_LISTENER,	/* not an end of a connection */
};

/* What happened at a listening socket: numbers of segments and connections. */
struct tcphs_listener_counts {
	uint64_t syns;
	uint64_t synacks;
	uint64_t cookies_sent;
	uint64_t cookies_accepted;
	uint64_t cookies_failed;
	uint64_t unanswered;	/* SYNs for which nothing was sent */
	uint64_t overflowed;	/* segments refused: the accept queue was full */
};

/* The numbers with which the connection before used the same port pair. */
struct tcphs_before {
	bool known;
	bool iss_known;
	bool irs_known;
	uint32_t iss;
	uint32_t irs;
};

/* The process that a record names. */
struct tcphs_owner {
	bool known;
	uint32_t pid;
	uint32_t uid;
	char comm[16];
};

struct tcphs_end;
struct tcphs_flow_list;

struct tcphs_binding {
	struct tcphs_table_link link;
	struct tcphs_end *end;
	uint64_t sock;		/* 0: not in use */
};

struct tcphs_end {
	struct tcphs_tuple tuple;
	uint32_t netns;
	enum tcphs_role role;
	uint8_t state;		/* now; TCPHS_STATE_UNKNOWN */
	bool mapped;		/* IPv4 on an AF_INET6 socket */
	bool born;		/* its first event was seen */
	bool socket;		/* a socket or mini-socket spoke, not only segments */
	bool full;		/* ... a full socket, with its own transitions */
	bool mini;		/* ... and then a TIME_WAIT mini-socket */
	bool closed;		/* it has come to its end */
	bool lossy;		/* records were lost while it lived */
	bool after_loss;	/* records had been lost before its first one */
	bool doubtful;		/* ... and nothing was heard of it since */
	bool cookie;		/* its SYN,ACK carried a SYN cookie */
	bool asked;		/* a SYN came and was not answered yet */
	struct tcphs_owner listener;	/* who listened for it */
	bool iss_known;
	bool irs_known;
	uint32_t iss;		/* its own initial sequence number */
	uint32_t irs;		/* the other end's */
	struct tcphs_before before;
	uint64_t first;		/* ts of the first and last record */
	uint64_t last;
	struct tcphs_end *peer;	/* the other end, when it is local too */

	struct tcphs_record *record;
	size_t records;

	/* A listener's. */
	struct tcphs_listener_counts counts;

	/* The flow's own. */
	size_t room;
	struct tcphs_table_link by_tuple;
	struct tcphs_binding binding[4];
	struct tcphs_end *older;
	struct tcphs_end *newer;
	uint64_t due;		/* when it may be given out; 0 not finished */
	bool in_table;
	bool stub;		/* given out; kept for what may still come */
	struct tcphs_flow_list *list;
};

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

/* The end (or listener) that a full record belongs to now; NULL unknown. */
const struct tcphs_end *tcphs_flow_find(const struct tcphs_flow *f,
					const struct tcphs_record *r);

#endif
