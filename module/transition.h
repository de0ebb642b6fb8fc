/* SPDX-License-Identifier: GPL-2.0 */
/* What tracepoints say about full sockets, as records. */
#ifndef _TCPHS_TRANSITION_H
#define _TCPHS_TRANSITION_H

#include <tcphs.h>

#include "compat.h"

/** tcphs_transition_lives() - clear the fields that only -> CLOSE has */
static inline void tcphs_transition_lives(struct tcphs_transition *t)
{
	t->error = 0;
	t->fact = 0;
	t->timeouts = 0;
	t->unread = 0;
}

void tcphs_transition_state(void *data, const struct sock *sk, const int old,
			    const int new);
void tcphs_transition_birth(const struct sock *sk);
void tcphs_transition_receive_reset(void *data, struct sock *sk);
void tcphs_transition_destroy(void *data, struct sock *sk);

#endif /* _TCPHS_TRANSITION_H */
