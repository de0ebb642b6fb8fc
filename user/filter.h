/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_FILTER_H
#define TCPHS_FILTER_H

#include <stdbool.h>

#include "address.h"

/* A pcap-filter(7) expression, asked of addresses and ports. */
struct tcphs_filter;

/* NULL after a message when the expression is wrong. */
struct tcphs_filter *tcphs_filter_new(const char *expression);

/* The same without a message: `why` says what is wrong, and not with what. */
#define TCPHS_FILTER_WHY 320
struct tcphs_filter *tcphs_filter_try(const char *expression, char why[TCPHS_FILTER_WHY]);

/* Does a segment in either direction match? No filter (NULL) lets all pass. */
bool tcphs_filter_match(const struct tcphs_filter *f, const struct tcphs_tuple *t);

void tcphs_filter_free(struct tcphs_filter *f);

#endif
