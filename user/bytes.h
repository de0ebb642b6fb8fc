/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_BYTES_H
#define TCPHS_BYTES_H

#include "connection.h"

/*
 * How much payload a side sent, and the number of its FIN: from its own end, then
 * from what the other side's end saw of it. Sets fin, bytes and retransmits;
 * what no number tells stays unknown.
 */
void tcphs_bytes_tell(struct tcphs_side *side, const struct tcphs_end *e,
		      const struct tcphs_context *x);
void tcphs_bytes_tell_remote(struct tcphs_side *side, const struct tcphs_end *peer,
			     const struct tcphs_context *x);

#endif
