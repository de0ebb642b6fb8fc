/* SPDX-License-Identifier: GPL-2.0 */
/* accept(): which process took the connection. */
#ifndef _TCPHS_ACCEPT_H
#define _TCPHS_ACCEPT_H

struct pt_regs;

void tcphs_accept_record(struct pt_regs *regs);

#endif /* _TCPHS_ACCEPT_H */
