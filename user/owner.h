/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_OWNER_H
#define TCPHS_OWNER_H

#include "connection.h"
#include "end.h"

/*
 * What --owner adds to the process: whose the socket is and what it is marked
 * with. Each function writes at most TCPHS_OWNER_SIZE bytes and returns `text`;
 * what the records do not tell is "?". Pure.
 */
#define TCPHS_OWNER_SIZE 96

/* "uid 1000 cgroup 2311 mark 0x7 netns 4026532281"; "" without a socket. */
char *tcphs_owner_side(const struct tcphs_side *s, char text[TCPHS_OWNER_SIZE]);

/* The same of a listening socket in the namespace `netns`. */
char *tcphs_owner_listener(const struct tcphs_end *e, uint32_t netns,
			   char text[TCPHS_OWNER_SIZE]);

/* What one record from there has of it, without "?"; "" nothing. */
char *tcphs_owner_record(const struct tcphs_record *r, uint32_t netns,
			 char text[TCPHS_OWNER_SIZE]);

#endif
