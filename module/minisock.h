/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Request and TIME_WAIT mini-sockets: the parts of a connection's life that
 * the state tracepoint never sees.
 */
#ifndef _TCPHS_MINISOCK_H
#define _TCPHS_MINISOCK_H

#include <linux/atomic.h>
#include <linux/types.h>

struct inet_timewait_sock;
struct net;
struct request_sock;
struct sock;

struct sock *tcphs_minisock_find(struct net *net, bool inet6,
				 const void *local, u16 sport,
				 const void *remote, u16 dport, int dif, int sdif);
void tcphs_minisock_timewait(const struct sock *sk, int old);
void tcphs_minisock_timewait_state(const struct inet_timewait_sock *tw,
				   int old, int new);
void tcphs_minisock_timewait_end(const struct sock *sk);
void tcphs_minisock_init(void);
void tcphs_minisock_finish(void);
struct sock *tcphs_minisock_listener(struct net *net, bool inet6,
				     const void *local, u16 sport,
				     const void *remote, u16 dport, int dif, int sdif);
extern atomic_t tcphs_minisock_fin_wait2;

/** tcphs_minisock_waiting() - may there be a mini-socket in FIN_WAIT2? */
static inline bool tcphs_minisock_waiting(void)
{
	return atomic_read(&tcphs_minisock_fin_wait2);
}

void tcphs_minisock_request(const struct request_sock *req);
void tcphs_minisock_request_end(const struct request_sock *req);

#endif /* _TCPHS_MINISOCK_H */
