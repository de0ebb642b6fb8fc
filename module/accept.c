// SPDX-License-Identifier: GPL-2.0
/*
 * accept(): which process took the connection.
 *
 * accept() changes no state, so the tracepoint is silent, and the process that
 * called listen() is often another one. The kernel asks its security modules
 * with security_sock_graft(sk, parent) as it hands a socket over.
 */
#include <net/inet_sock.h>

#include "accept.h"
#include "compat.h"
#include "filter.h"
#include "identity.h"
#include "ring.h"

/**
 * tcphs_accept_record() - at the entry of security_sock_graft(sk, parent)
 * @sk: of any family
 *
 * Context: process, the socket's lock held. Unix and other sockets pass here
 * too.
 */
void tcphs_accept_record(const struct sock *sk)
{
	struct tcphs_accept *a;
	struct tcphs_record *r;
	struct tcphs_write w;

	if ((sk->sk_family != AF_INET && sk->sk_family != AF_INET6) ||
	    !tcphs_identity_is_tcp(sk) ||
	    !tcphs_identity_in_process() ||
	    (tcphs_filter_on() &&
	     tcphs_filter_drops_any(sock_net(sk)->ns.inum,
				    ntohs(inet_sk(sk)->inet_sport),
				    ntohs(inet_sk(sk)->inet_dport))))
		return;
	r = tcphs_ring_begin(&w, TCPHS_ACCEPT, false);
	tcphs_identity_ends(r, sk);
	a = &r->accept;
	a->state = sk->sk_state;
	memset(a->__pad, 0, sizeof(a->__pad));
	a->listener = 0;
	memset(a->__pad2, 0, sizeof(a->__pad2));
	a->cgroup = tcphs_identity_cgroup(sk);
	a->mark = READ_ONCE(sk->sk_mark);
	a->uid = tcphs_identity_uid(sk);
	tcphs_identity_owner_set(&a->pid, a->comm);
	a->comm[sizeof(a->comm) - 1] = '\0';
	tcphs_ring_commit(&w, r, false);
}
