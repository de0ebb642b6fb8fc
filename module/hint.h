/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hints: what one segment tells of another that follows. They decide whether a
 * pure ACK is recorded and how it is marked; a wrong one costs or adds a record
 * and never makes a wrong number. Context of all: of the netfilter hooks.
 */
#ifndef _TCPHS_HINT_H
#define _TCPHS_HINT_H

#include <tcphs.h>

#include "packet.h"

void tcphs_hint_loopback(const struct tcphs_packet *p);
bool tcphs_hint_arrived(struct tcphs_packet *p);
void tcphs_hint_expect(const struct tcphs_packet *p);
bool tcphs_hint_expected(const struct tcphs_packet *p);
void tcphs_hint_cookie(void);
bool tcphs_hint_cookies(void);

#endif /* _TCPHS_HINT_H */
