/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_CHANGE_H
#define TCPHS_CHANGE_H

#include "saying.h"

/* Say what the states mean that the step brought about: TCPHS_EXPLAIN_* of it. */
void tcphs_change_say(struct tcphs_saying *s, unsigned int parts);

#endif
