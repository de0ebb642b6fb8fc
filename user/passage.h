/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_PASSAGE_H
#define TCPHS_PASSAGE_H

#include "connection.h"

/* What was sent so late, or came so early, in ns, may have been under way outside the records. */
#define TCPHS_UNDER_WAY (1000 * 1000000ULL)

/* Mark as foreign what left a side's address and was not sent by its socket. Pure. */
void tcphs_passage_find_forged(struct tcphs_connection *c,
			       const struct tcphs_context *x);

/*
 * Mark what was lost on the way: sent here, and the other side, which is here too,
 * never saw it; and as foreign what came here, and the other side never sent it. Of
 * pure ACKs not both sides need have a record with segments=handshake. Copies have to
 * be marked already. Pure.
 */
void tcphs_passage_find_lost(struct tcphs_connection *c, const struct tcphs_context *x);

/* Whether step->lost is known: where records are missing, its arrival may be, too. */
bool tcphs_passage_is_known(const struct tcphs_connection *c, const struct tcphs_step *step);

#endif
