/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_SAYING_H
#define TCPHS_SAYING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explain.h"

/* What is being said of a step, sentence by sentence. Bare sections are RFC 9293's. */

enum { TCPHS_SAYING_SIZE = 2048 };

#define TCPHS_SAYING_NONE SIZE_MAX	/* an index of struct tcphs_explain: no step */

struct tcphs_saying {
	const struct tcphs_explain *x;
	const struct tcphs_connection *c;
	const struct tcphs_step *step;
	size_t i;
	char text[TCPHS_SAYING_SIZE];
};

/* Add a sentence. */
void tcphs_saying_add(struct tcphs_saying *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "client", "server" or, connected to itself, "socket". */
const char *tcphs_saying_who(const struct tcphs_saying *s, unsigned int side);

/* A number of `side` as the ladder shows it. */
uint32_t tcphs_saying_shown(const struct tcphs_saying *s, unsigned int side,
			    uint32_t number);

/* The last segment from `from` before this step, if it is not far back. */
const struct tcphs_step *tcphs_saying_before(const struct tcphs_saying *s,
					     unsigned int from);

#endif
