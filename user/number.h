/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_NUMBER_H
#define TCPHS_NUMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <tcphs.h>

#include "names.h"

/*
 * Sequence numbers are modulo 2^32 (RFC 9293, 3.4): `a` comes before `b` when
 * the way forward from a to b is shorter than the way back.
 */
static inline bool tcphs_number_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* A RST to what had no ACK has no number of its own. */
static inline bool tcphs_number_is_none(const struct tcphs_segment *s)
{
	return s->flags & TCPHS_RST && !s->seq;
}

/*
 * One row has numbers of one kind: those of `s` would be relative and absolute, where
 * only one of the initial numbers that they count from is known.
 */
static inline bool tcphs_number_mixes(const struct tcphs_segment *s, bool seq_known,
				      bool ack_known)
{
	return s->flags & TCPHS_ACK && seq_known != ack_known && !tcphs_number_is_none(s);
}

/* What is put after the name of so many things: "" or "s". */
static inline const char *tcphs_number_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

#define TCPHS_NUMBER_SIZE 32

/* "1,234,567". Returns `text`. */
char *tcphs_number_count(uint64_t count, char text[TCPHS_NUMBER_SIZE]);

/* Nanoseconds as people say them: "43 us", "44.8 ms", "12.3 s". Returns `text`. */
char *tcphs_number_span(uint64_t ns, char text[TCPHS_NUMBER_SIZE]);

#endif
