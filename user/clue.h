/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_CLUE_H
#define TCPHS_CLUE_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

/*
 * What the rules of a verdict ask of a connection, and the proofs of what they say:
 * states, segments, numbers. What is not there, or was not seen, is NULL or false.
 * Pure.
 */

/* The side was in `state`. */
bool tcphs_clue_was(const struct tcphs_side *s, unsigned int state);

/* Its socket came to its end before it was ESTABLISHED. */
bool tcphs_clue_died_opening(const struct tcphs_side *s);

/* Its socket timed out, and says so: by the reason of its RST, or its error. */
bool tcphs_clue_timed_out(const struct tcphs_side *s);

/* The first segment from the side `from` whose flags under `mask` are `flags`. */
const struct tcphs_step *tcphs_clue_first(const struct tcphs_connection *c,
					  unsigned int from, unsigned int mask,
					  unsigned int flags);

/* A RST, be it only one that a socket told of. */
bool tcphs_clue_is_rst(const struct tcphs_step *step);

/*
 * A RST, be it only one that a socket told of, after which both ends lived on: it was
 * forged, its number was out of place, or it answered an ACK in SYN_SENT. Where records
 * are missing, false.
 */
bool tcphs_clue_ends_nothing(const struct tcphs_connection *c,
			     const struct tcphs_step *step);

/*
 * An ACK of another time (RFC 9293, 3.5.1): it came to an end in SYN_SENT, which takes
 * nothing but a SYN and, if it acknowledges that end's, a RST.
 */
bool tcphs_clue_is_stale(const struct tcphs_connection *c, const struct tcphs_step *step);

/*
 * The kernel's tcp_receive_reset is also told where a socket resets itself, because bytes
 * came after its process had closed it (RFC 9293, 3.6.1): nothing was received there, and
 * a RST leaves it next. Without segments it is taken at its word.
 */
bool tcphs_clue_reset_itself(const struct tcphs_connection *c, unsigned int side);

/* The RST in step i is the one that its sender's socket tells of: rst_sent. */
bool tcphs_clue_is_told(const struct tcphs_connection *c, size_t i);

/* A RST that left without a socket: there was none, not even a request. */
bool tcphs_clue_no_socket(const struct tcphs_connection *c, const struct tcphs_step *step);

/* The first RST from anybody that may have ended something. */
const struct tcphs_step *tcphs_clue_first_rst(const struct tcphs_connection *c);

/* The segments that a handshake is told by; NULL: not seen. */
struct tcphs_opening {
	const struct tcphs_step *syn;		/* the client's */
	const struct tcphs_step *synack;	/* the server's */
	const struct tcphs_step *rst;		/* anybody's */
};

void tcphs_clue_opening(const struct tcphs_connection *c, struct tcphs_opening *o);

/* A segment of `from` that acknowledges the FIN with number `fin`. */
bool tcphs_clue_acknowledges(const struct tcphs_connection *c,
			     const struct tcphs_step *step, unsigned int from,
			     uint32_t fin);
const struct tcphs_step *tcphs_clue_first_ack(const struct tcphs_connection *c,
					      unsigned int from, uint32_t fin);

/* Which side sent its FIN first; the client where none was seen. */
unsigned int tcphs_clue_first_to_close(const struct tcphs_connection *c);

/*
 * The FIN of `active` was acknowledged by what the other end sent before `second`, its
 * own FIN.
 */
bool tcphs_clue_acked_before(const struct tcphs_connection *c, unsigned int active,
			     const struct tcphs_step *second);

#endif
