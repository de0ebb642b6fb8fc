/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_CAPTION_H
#define TCPHS_CAPTION_H

#include "connection.h"

/*
 * What stands beside things in exported files: short pieces of text. Each
 * function writes at most TCPHS_CAPTION_SIZE bytes and returns `text`. Foreign
 * text (a process's name) comes out as printable ASCII. Pure.
 */
#define TCPHS_CAPTION_SIZE 512

/*
 * "SYN,ACK seq=0 [7856852] ack=1 len=5": numbers relative to the ISNs, the ISN
 * itself in brackets unless `isn` is false; `absolute`: as on the wire.
 */
char *tcphs_caption_segment(const struct tcphs_connection *c,
			    const struct tcphs_step *step, bool absolute, bool isn,
			    char *text);

/* "mss 1460 sack ts wscale 7"; "" without options. */
char *tcphs_caption_options(const struct tcphs_segment *s, char *text);

/* "10.9.0.1:50512"; "?" where the port was never told. */
char *tcphs_caption_end(const struct tcphs_side *s, char *text);

/* Of a side without a socket: "elsewhere", "no socket"; "unseen": it may have had one. */
const char *tcphs_caption_absent(const struct tcphs_connection *c,
				 const struct tcphs_side *s);

/* "python3/211, closed by sh/212"; what is absent; "" unknown. */
char *tcphs_caption_owner(const struct tcphs_connection *c, const struct tcphs_side *s,
			  char *text);

/*
 * "netns 4026532281", "on alpha, netns 4026532281" where there are several hosts;
 * "" unknown.
 */
char *tcphs_caption_place(const struct tcphs_connection *c, const struct tcphs_side *s,
			  char *text);

/* "three-way open 43 us · four-way close · lasted 45.1 ms · complete" */
char *tcphs_caption_verdict(const struct tcphs_connection *c, char *text);

/* Of a side whose TIME_WAIT has no end in the records: why. */
const char *tcphs_caption_unended(const struct tcphs_side *s);

/* "client 12 B, server 1,234 B"; "" when nothing is known. */
char *tcphs_caption_bytes(const struct tcphs_connection *c, char *text);

/* "client" or "server". */
const char *tcphs_caption_side(unsigned int side);

/* Copy with every byte that is not printable ASCII as '?'. */
char *tcphs_caption_clean(const char *from, char *text, size_t size);

#endif
