/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_SUM_H
#define TCPHS_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "connection.h"

/*
 * Data whose segments are not recorded, summed up: what each side sent before the first
 * FIN or RST, and what the other one sent after the first FIN. Bytes in a segment that
 * is recorded (a SYN's, a FIN's, those with a client's first ACK) are in no sum. Pure.
 */
struct tcphs_sum {
	uint64_t ts;		/* when exactly, nobody saw: right before what ended it */
	uint64_t bytes[2];	/* by the side that sent them */
};

enum { TCPHS_SUMS = 2 };

/* The sums that are not empty, in their order. Return: how many. */
size_t tcphs_sum_find(const struct tcphs_connection *c, struct tcphs_sum sum[TCPHS_SUMS]);

#endif
