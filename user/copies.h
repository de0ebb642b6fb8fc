/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_COPIES_H
#define TCPHS_COPIES_H

#include "connection.h"

/*
 * Mark what was sent again, where the sender is not here to say so: a SYN, FIN or
 * stretch of data of which all was sent before. What is foreign to the side that it
 * seems to come from has to be marked already. Sets c->copies to how many were
 * marked. Pure.
 */
void tcphs_copies_mark(struct tcphs_connection *c);

/*
 * Whether step->retransmit is known. Where records are missing, what only came may have
 * come before, and a SYN,ACK that its socket calls a copy may be one of the SYN.
 */
bool tcphs_copies_is_known(const struct tcphs_connection *c, const struct tcphs_step *step);

/* How many copies there were, where the steps do not tell all; -1 unknown. */
void tcphs_copies_count(struct tcphs_connection *c);

#endif
