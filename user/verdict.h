/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_VERDICT_H
#define TCPHS_VERDICT_H

#include "connection.h"

/*
 * Name what happened: sets c->open, c->close, the rules that decided them and
 * the half-close's bytes. Pure.
 */
void tcphs_verdict_find(struct tcphs_connection *c);

/* The names of the contract: "three-way" ...; close NULL: it never opened. */
const char *tcphs_verdict_open(enum tcphs_open open);
const char *tcphs_verdict_close(enum tcphs_close close);
const char *tcphs_verdict_whole(enum tcphs_whole whole);

#endif
