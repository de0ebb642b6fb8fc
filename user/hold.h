/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_HOLD_H
#define TCPHS_HOLD_H

#include <stdint.h>

#include <tcphs.h>

#include "host.h"

/*
 * Records with the tuple that they belong to. At its birth a socket does not
 * know its tuple yet: connect() has no port, the child of a listener no peer. So
 * a birth is held back, and what follows it too, until a later record of the same
 * socket tells; it then has the flags and addresses of that one. What is never
 * told keeps its TCPHS_NO_* flags, and so does what a lost record may have told.
 */
struct tcphs_hold;

typedef void tcphs_hold_give(void *arg, const struct tcphs_record *r);

struct tcphs_hold *tcphs_hold_new(tcphs_hold_give *give, void *arg);

/* Gives out nothing. */
void tcphs_hold_free(struct tcphs_hold *h);

/* Whose records they are; valid as long as this is. */
void tcphs_hold_hosts(struct tcphs_hold *h, const struct tcphs_hosts *hosts);

/* Take one record; gives out, in the order of taking, what waits for nothing. */
void tcphs_hold_feed(struct tcphs_hold *h, const struct tcphs_record *r);

/* Nothing came for a while, and it is `now`: what still waits, waits in vain. */
void tcphs_hold_idle(struct tcphs_hold *h, uint64_t now);

/* The stream has ended: give out the rest. */
void tcphs_hold_finish(struct tcphs_hold *h);

#endif
