/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_PICTURE_H
#define TCPHS_PICTURE_H

#include <stdio.h>

#include "canvas.h"
#include "clock.h"
#include "connection.h"

/* Ladders as a picture, one connection below another. */
struct tcphs_picture {
	struct tcphs_canvas *canvas;
	struct tcphs_clock clock;
	bool absolute;		/* sequence numbers as on the wire */
	double height;		/* so far */
	unsigned long connections;
};

/* Draw one connection below the others. `number`: what to call it. */
void tcphs_picture_connection(struct tcphs_picture *p,
			      const struct tcphs_connection *c, unsigned long number);

/* A line of text below all. */
void tcphs_picture_say(struct tcphs_picture *p, const char *text);

/* As tcphs_canvas_finish(). */
const char *tcphs_picture_finish(struct tcphs_picture *p, FILE *to);

#endif
