/* SPDX-License-Identifier: GPL-2.0 */
/* What tracepoints say about full sockets, as records. */
#ifndef _TCPHS_TRANSITION_H
#define _TCPHS_TRANSITION_H

#include <tcphs.h>

#include "compat.h"

void tcphs_transition_state(void *data, const struct sock *sk, const int old,
			    const int new);
void tcphs_transition_birth(const struct sock *sk);
void tcphs_transition_receive_reset(void *data, struct sock *sk);
void tcphs_transition_destroy(void *data, struct sock *sk);

#endif /* _TCPHS_TRANSITION_H */
