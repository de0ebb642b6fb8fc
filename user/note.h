/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_NOTE_H
#define TCPHS_NOTE_H

#include "connection.h"

/* Write to each step what is to be known of it besides its numbers. Pure. */
void tcphs_note_write(struct tcphs_connection *c, const struct tcphs_context *x);

#endif
