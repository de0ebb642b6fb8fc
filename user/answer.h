/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_ANSWER_H
#define TCPHS_ANSWER_H

#include "connection.h"

/*
 * Which segment another one answers: probes and what comes back, challenge ACKs, and
 * what is sent again because it was asked for again. Pure.
 */

/* Marked, or its number is the ISN, acknowledged long ago: only a probe repeats it. */
bool tcphs_answer_is_probe(const struct tcphs_connection *c, const struct tcphs_step *step);

/*
 * Step i, a probe, asks for a window: the last that was told had been 0, and no segment
 * is missing since. Where data is not recorded nobody can tell it from a keep-alive.
 */
bool tcphs_answer_is_window_probe(const struct tcphs_connection *c, size_t i);

/* The last segment before step i that came from the other side; NULL: none is near. */
const struct tcphs_step *tcphs_answer_asked(const struct tcphs_connection *c, size_t i);

/* TCP answers at once: `step` left right after `asked` had come. */
bool tcphs_answer_at_once(const struct tcphs_step *asked, const struct tcphs_step *step);

/*
 * A pure ACK that answers a RST, or a SYN out of place, while its socket lives on
 * (RFC 5961): step i.
 */
bool tcphs_answer_is_challenge(const struct tcphs_connection *c, size_t i);

/* Step i was refused because the accept queue was full. */
bool tcphs_answer_overflows(const struct tcphs_connection *c, size_t i);

/* ... and got a RST for it (net.ipv4.tcp_abort_on_overflow), or is dropped. */
bool tcphs_answer_aborts(const struct tcphs_connection *c, size_t i);

#endif
