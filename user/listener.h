/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_LISTENER_H
#define TCPHS_LISTENER_H

#include "end.h"

/* e, a listener, has the local end of `t` from now on, if its port is known. */
void tcphs_listener_set(struct tcphs_ends *ends, struct tcphs_end *e,
			const struct tcphs_tuple *t);

/* The listener that a segment for this local end would find; NULL none known. */
struct tcphs_end *tcphs_listener_find(const struct tcphs_ends *ends, uint32_t netns,
				      const struct tcphs_tuple *t);

/* The one at this very address of which no record named the socket; NULL none. */
struct tcphs_end *tcphs_listener_nameless(const struct tcphs_ends *ends, uint32_t netns,
					  const struct tcphs_tuple *t);

/*
 * A record of e, a passive end with the tuple `t`, shows that somebody listens
 * there: note who, if nobody saw listen(). `sock` is the listener's, 0 unknown.
 */
void tcphs_listener_meet(struct tcphs_ends *ends, struct tcphs_end *e,
			 const struct tcphs_record *r, const struct tcphs_tuple *t,
			 uint64_t sock);

/*
 * The request of e, a passive end, names its listener: of several at one address
 * (SO_REUSEPORT), this one. The SYN was counted at any of them.
 */
void tcphs_listener_name(struct tcphs_ends *ends, struct tcphs_end *e, uint64_t sock);

/* The SYN of e that is not answered yet found a TIME_WAIT instead of who listens. */
void tcphs_listener_uncount(struct tcphs_ends *ends, struct tcphs_end *e);

/* Records were lost: the SYN of e that is not answered yet may have been. */
void tcphs_listener_doubt_syn(struct tcphs_ends *ends, struct tcphs_end *e,
			      const struct tcphs_record *lost);

/* ... and l, a listener, may be gone. */
void tcphs_listener_doubt(struct tcphs_end *l);

/*
 * Count a segment of e at its listener. SYNs are answered before the receive call
 * returns, or never.
 */
void tcphs_listener_count(struct tcphs_ends *ends, struct tcphs_end *e,
			  const struct tcphs_record *r);

/*
 * The segment was refused because the accept queue was full; `request`: the connection had
 * one when it came, `cookie`: its SYN,ACK carried a cookie.
 */
bool tcphs_listener_overflows(const struct tcphs_segment *s, bool request, bool cookie);

/* A connection belongs to its listener's process until accept(): sets e->listener. */
void tcphs_listener_owner(struct tcphs_ends *ends, struct tcphs_end *e);

/*
 * "3 SYN, 3 SYN,ACK, 2 cookies sent, 1 accepted, 0 failed, 1 SYN dropped, accept
 * queue overflowed 2 times"; "" when nothing came, or records are missing. At most
 * TCPHS_LISTENER_SIZE bytes. Returns `text`.
 */
#define TCPHS_LISTENER_SIZE 192

char *tcphs_listener_text(const struct tcphs_end *l, char text[TCPHS_LISTENER_SIZE]);

/* Records of its time are missing: what was counted is not all. */
bool tcphs_listener_is_lossy(const struct tcphs_end *l);

/* "complete", "partial" or "lossy". */
const char *tcphs_listener_whole(const struct tcphs_end *l);

#endif
