/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_PAIR_H
#define TCPHS_PAIR_H

#include "end.h"

/*
 * Join e with the end on the other side, if that is local: sets e->peer and its
 * peer's. Addresses alone are no proof, another netns may use the same ones: the
 * initial sequence numbers must meet. `weak`: nothing better will come any more;
 * then a segment that left one and came to the other will do, or one netns.
 */
void tcphs_pair_find(struct tcphs_ends *s, struct tcphs_end *e, bool weak);

#endif
