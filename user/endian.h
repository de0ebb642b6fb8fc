/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_ENDIAN_H
#define TCPHS_ENDIAN_H

#include <tcphs.h>

/* From the other byte order to this machine's, in place. */
void tcphs_endian_header(struct tcphs_header *h);
void tcphs_endian_record(struct tcphs_record *r);

#endif
