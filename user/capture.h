/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_CAPTURE_H
#define TCPHS_CAPTURE_H

#include <stdio.h>

#include "connection.h"

/*
 * Connections as the packets of a pcapng file, in the order of time. A segment
 * of which both ends are here is one packet, as it was sent.
 */
struct tcphs_capture;

/* `hosts`: whose records these are; `application`: the name and version of this program. */
struct tcphs_capture *tcphs_capture_new(FILE *to, const struct tcphs_header *h,
					const struct tcphs_hosts *hosts,
					const char *application);

/*
 * The next connection; they come in the order in which they began, so that
 * what is older than its beginning can be written.
 */
void tcphs_capture_connection(struct tcphs_capture *p,
			      const struct tcphs_connection *c, unsigned long number);

/* Write what is left. Returns how many packets there were. */
uint64_t tcphs_capture_finish(struct tcphs_capture *p);

#endif
