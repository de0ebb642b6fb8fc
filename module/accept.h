/* SPDX-License-Identifier: GPL-2.0 */
/* accept(): which process took the connection. */
#ifndef _TCPHS_ACCEPT_H
#define _TCPHS_ACCEPT_H

struct sock;

void tcphs_accept_record(const struct sock *sk);

#endif /* _TCPHS_ACCEPT_H */
