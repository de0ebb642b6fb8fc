/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_MERMAID_H
#define TCPHS_MERMAID_H

#include <stdbool.h>
#include <stdio.h>

#include "clock.h"
#include "connection.h"

/* Connections as one Mermaid sequence diagram. */
struct tcphs_mermaid;

struct tcphs_mermaid *tcphs_mermaid_new(FILE *to, const struct tcphs_clock *clock,
					bool absolute);

/*
 * `number`: what to call it. Return: false, and nothing is written, where the diagram would be
 * longer than Mermaid draws; `always`: it is written then, too.
 */
bool tcphs_mermaid_connection(struct tcphs_mermaid *m, const struct tcphs_connection *c,
			      unsigned long number, bool always);

/* How many characters it has, where these are more than Mermaid draws; else 0. */
size_t tcphs_mermaid_too_long(const struct tcphs_mermaid *m);

/* A remark in the file, which the diagram does not show. */
void tcphs_mermaid_say(struct tcphs_mermaid *m, const char *text);

void tcphs_mermaid_free(struct tcphs_mermaid *m);

#endif
