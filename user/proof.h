/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_PROOF_H
#define TCPHS_PROOF_H

#include <stdbool.h>

#include "clue.h"
#include "connection.h"
#include "rule.h"

/*
 * Where records were lost, that something is not there says nothing: then only what
 * is there counts. A rule that holds of the records that are left is proven when none
 * that are missing can say otherwise. Pure.
 */
bool tcphs_proof_open(const struct tcphs_connection *c, const struct tcphs_opening *o,
		      enum tcphs_open_rule rule);

/* The same of its closing. c->open and c->half_bytes are known. */
bool tcphs_proof_close(const struct tcphs_connection *c, enum tcphs_close_rule rule);

#endif
