/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_SIDE_H
#define TCPHS_SIDE_H

#include <stdint.h>

#include "connection.h"

#define TCPHS_SIDE_NO_STATE UINT32_MAX

/*
 * Tell one side of a connection from its end: states, owner, numbers, bytes.
 * `entered[i]` becomes the index in side->states of the state that record i
 * brought about, or TCPHS_SIDE_NO_STATE. `entered` has room for e->records.
 */
void tcphs_side_tell(struct tcphs_side *side, const struct tcphs_end *e,
		     uint32_t *entered);

/* What the end on the other side knows of this one. */
void tcphs_side_tell_remote(struct tcphs_side *side, const struct tcphs_end *peer);

void tcphs_side_free(struct tcphs_side *side);

#endif
