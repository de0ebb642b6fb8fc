/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_JSON_H
#define TCPHS_JSON_H

#include <stdio.h>

#include "connection.h"
#include "flow.h"
#include "summary.h"

/*
 * One object per line on standard output, as FIELDS in tcphs(8) fixes it.
 * What is not known is null.
 */
void tcphs_json_record(const struct tcphs_record *r, const struct tcphs_hosts *hosts);

/* The same with "conn", the number of its connection; 0: none. */
void tcphs_json_numbered(const struct tcphs_record *r, const struct tcphs_hosts *hosts,
			 unsigned long connection);

/* To `to`, step by step: it may have many. */
void tcphs_json_connection(FILE *to, const struct tcphs_connection *c);

/* The same with "explain": of each step, and of both verdicts. */
void tcphs_json_explained(FILE *to, const struct tcphs_connection *c);

/* The summary of a list; `lost`: records. */
void tcphs_json_summary(const struct tcphs_summary *s, uint64_t lost);

/* Of several hosts one object each: how its clock was compared. Else nothing. */
void tcphs_json_hosts(const struct tcphs_hosts *hosts);

void tcphs_json_listener(const struct tcphs_end *l, const struct tcphs_context *x);

/* The same as a json_t of the caller's, not printed. */
struct json_t *tcphs_json_listener_new(const struct tcphs_end *l,
				       const struct tcphs_context *x);

#endif
