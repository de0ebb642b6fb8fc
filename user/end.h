/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_END_H
#define TCPHS_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

#include "address.h"
#include "host.h"
#include "table.h"

/*
 * An *end* is one side of one connection as this machine's kernel lived it: a
 * request mini-socket, the full socket, a TIME_WAIT mini-socket, one after the
 * other, and the segments that passed there.
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
	/* These two only where no record is missing. */
	uint64_t cookies_failed;
	uint64_t unanswered;	/* SYNs for which nothing was sent */
	uint64_t overflowed;	/* segments refused: the accept queue was full */
	uint64_t cookie_ts;	/* when the last cookie was sent */
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
struct tcphs_end_list;

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
	bool marked;		/* ... already when it began: a gap is in its records */
	bool after_loss;	/* records had been lost before its first one */
	uint64_t doubt;		/* until when, ns; see tcphs_end_doubtful() */
	bool cookie;		/* its SYN,ACK carried a SYN cookie */
	uint64_t asked;		/* a SYN came and was not answered yet: the serial of
				 * the listener that counted it; or 0
				 */
	bool waits;		/* ... and an answer would be here */
	struct tcphs_owner listener;	/* who listened for it */
	uint64_t listener_sock;	/* ... and the socket, as the request named it; or 0 */
	bool iss_known;
	bool irs_known;
	bool repaired;		/* with TCP_REPAIR: its socket does not know its irs */
	uint32_t iss;		/* its own initial sequence number */
	uint32_t irs;		/* the other end's */
	struct tcphs_before before;
	uint64_t first;		/* ts of the first and last record */
	uint64_t last;
	struct tcphs_end *peer;	/* the other end, when it is local too */

	unsigned long number;	/* for people to refer to; 0 none yet */

	struct tcphs_record *record;
	size_t records;

	/* A listener's. */
	struct tcphs_listener_counts counts;
	uint64_t serial;	/* from its first SYN on, of no other one; or 0 */

	/* The flow's own. */
	size_t room;
	struct tcphs_table_link by_tuple;
	struct tcphs_binding binding[4];
	struct tcphs_end *older;
	struct tcphs_end *newer;
	uint64_t due;		/* when it may be given out; 0 not finished */
	bool in_table;
	bool stub;		/* given out; kept for what may still come */
	struct tcphs_end_list *list;
};

/* In the order of joining the list. */
struct tcphs_end_list {
	struct tcphs_end *oldest;
	struct tcphs_end *newest;
};

/* The commonest size of an end's array of records is kept for the next end. */
struct tcphs_end_array {
	struct tcphs_end_array *next;
};

/* All ends that are known, by the names that records call them. */
struct tcphs_ends {
	struct tcphs_table by_sock;
	struct tcphs_table by_tuple;
	struct tcphs_end_list living;
	struct tcphs_end_list listeners;
	struct tcphs_end_list stubs;	/* as they were given out, or last heard of */
	struct tcphs_end_array *spare;	/* of records: not in use */
	size_t spares;
	uint64_t serials;		/* of listeners, that are given away */
	bool lost;			/* records, at any time */
	const struct tcphs_hosts *hosts;	/* whose records they are; NULL unknown */
	struct tcphs_end *fed;		/* whose the last record was; NULL unknown */
	struct tcphs_record *gap;	/* of each host the one that lasts longest */
	size_t gaps;
	size_t gaps_room;
};

/* A gap was told of: who begins before it is over may miss records. */
void tcphs_end_open_gap(struct tcphs_ends *s, const struct tcphs_record *lost);

/* Records may be missing at the time and place of r, whether that was told or will be. */
bool tcphs_end_misses(const struct tcphs_ends *s, const struct tcphs_record *r);

/* The gap that is open at the time and place of r; NULL none. */
const struct tcphs_record *tcphs_end_gap(const struct tcphs_ends *s,
					 const struct tcphs_record *r);

/* A new end, living, that begins with this record; it is not attached yet. */
struct tcphs_end *tcphs_end_new(struct tcphs_ends *s, const struct tcphs_record *r);

/* Free `e`, and forget its names. */
void tcphs_end_delete(struct tcphs_ends *s, struct tcphs_end *e);

/* Free all ends. */
void tcphs_end_delete_all(struct tcphs_ends *s);

/* Move `e` to the end of `list`. */
void tcphs_end_enlist(struct tcphs_end_list *list, struct tcphs_end *e);

/* `sock` names e from now on (0 names nothing), or nobody. */
void tcphs_end_bind(struct tcphs_ends *s, struct tcphs_end *e, uint64_t sock);
void tcphs_end_unbind(struct tcphs_ends *s, uint64_t sock);
void tcphs_end_unbind_all(struct tcphs_ends *s, struct tcphs_end *e);

/* Whom `sock` names; NULL nobody. */
struct tcphs_end *tcphs_end_named(const struct tcphs_ends *s, uint64_t sock);

/*
 * The end whose socket a record names, unless its tuple `t` says that the name
 * now stands for another socket, or that it may do so: no tuple was known, and
 * records were lost.
 */
struct tcphs_end *tcphs_end_of_sock(const struct tcphs_ends *s,
				    const struct tcphs_record *r,
				    const struct tcphs_tuple *t);

/* The newest end with this tuple in this netns, then the ones before it. */
struct tcphs_end *tcphs_end_newest(const struct tcphs_ends *s,
				   const struct tcphs_tuple *t, uint32_t netns);
struct tcphs_end *tcphs_end_older(const struct tcphs_end *e);

/* The end of a link of by_tuple; NULL for NULL. */
struct tcphs_end *tcphs_end_of_link(struct tcphs_table_link *l);

/* e has the tuple t from now on, if it is whole and e had none. */
void tcphs_end_set_tuple(struct tcphs_ends *s, struct tcphs_end *e,
			 const struct tcphs_tuple *t);

/* What e does from now on may be lost, until the gap of `lost` is over. */
void tcphs_end_doubt(struct tcphs_end *e, const struct tcphs_record *lost);

/* Records were lost and nothing was heard of e since. */
static inline bool tcphs_end_doubtful(const struct tcphs_end *e)
{
	return e->last < e->doubt;
}

/* Keep a copy of the record. */
void tcphs_end_append(struct tcphs_ends *s, struct tcphs_end *e,
		      const struct tcphs_record *r);

/* Keep none any more. */
void tcphs_end_forget(struct tcphs_ends *s, struct tcphs_end *e);

/* What the record says of its end: state, numbers. */
void tcphs_end_learn(struct tcphs_end *e, const struct tcphs_record *r);

#endif
