/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_LATE_H
#define TCPHS_LATE_H

#include "connection.h"

/*
 * A connection that was told when it came to TIME_WAIT, and now a record of it
 * comes late. If that is the end of TIME_WAIT, it is told, too. Returns whether
 * it was. Pure.
 */
bool tcphs_late_take(struct tcphs_connection *c, const struct tcphs_record *r);

#endif
