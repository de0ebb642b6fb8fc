/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_LADDER_H
#define TCPHS_LADDER_H

#include "clock.h"
#include "connection.h"
#include "output.h"

/* How to draw. */
struct tcphs_ladder {
	struct tcphs_output output;
	struct tcphs_clock clock;
	const struct tcphs_hosts *hosts;	/* NULL: nobody knows of them */
	bool absolute;		/* sequence numbers as on the wire */
	bool explain;		/* say under each step what it means */
	bool owner;		/* --owner */
};

/* Draw one connection on standard output. `number`: what to call it; 0 nothing. */
void tcphs_ladder_connection(const struct tcphs_ladder *l,
			     const struct tcphs_connection *c, unsigned long number);

/* Tell of one listening socket. */
void tcphs_ladder_listener(const struct tcphs_ladder *l, const struct tcphs_end *e);

#endif
