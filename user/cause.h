/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_CAUSE_H
#define TCPHS_CAUSE_H

#include <stdbool.h>

#include "step.h"

/*
 * Tell each state that side `which` entered (v->entered) with the step that brought
 * it about or that it goes with; with a step of its own where there is none.
 * `itself`: the connection is one socket's with itself. Pure.
 */
void tcphs_cause_tell(struct tcphs_steps *s, const struct tcphs_sights *v,
		      const struct tcphs_side *side, unsigned int which, bool itself);

#endif
