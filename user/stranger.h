/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_STRANGER_H
#define TCPHS_STRANGER_H

#include <stdbool.h>

#include "end.h"

/*
 * A record whose socket, or port pair, names the end e, and which is another socket's:
 * that e's socket is gone, and its memory or its ports in use again, may be told in a
 * record that was lost. To be asked of lossy ends only. Pure.
 */

/* A socket does not go back, nor change its numbers. */
bool tcphs_stranger_transition(const struct tcphs_end *e, const struct tcphs_transition *t);

/* It acknowledges what e never sent: data beyond its FIN, or another SYN. */
bool tcphs_stranger_segment(const struct tcphs_end *e, const struct tcphs_segment *s);

#endif
