// SPDX-License-Identifier: GPL-2.0
/*
 * Request and TIME_WAIT mini-sockets.
 *
 * A SYN makes no socket but a request_sock, and TIME_WAIT is kept by an
 * inet_timewait_sock (as is a FIN_WAIT2 whose process has closed it). Neither
 * passes the state tracepoint; what is recorded here is read from the
 * mini-socket itself, at a moment when it is known to be in that state.
 */
#include <linux/kprobes.h>
#include <net/inet_timewait_sock.h>
#include <net/request_sock.h>

#include "compat.h"
#include "filter.h"
#include "identity.h"
#include "minisock.h"
#include "ring.h"
#include "transition.h"

/**
 * tcphs_minisock_find() - look up a connection's socket of any kind
 * @net: network namespace
 * @inet6: IPv6, else IPv4
 * @local: address of this end: struct in6_addr or __be32
 * @sport: port of this end, host byte order
 * @remote: address of the other end
 * @dport: port of the other end, host byte order
 * @dif: index of the device that the socket may be bound to
 *
 * Context: process or softirq, not between tcphs_ring_begin() and _commit().
 * Return: full, request or TIME_WAIT socket, to be given back with
 * sock_gen_put(); NULL if there is none.
 */
struct sock *tcphs_minisock_find(struct net *net, bool inet6,
				 const void *local, u16 sport,
				 const void *remote, u16 dport, int dif)
{
	struct sock *sk = NULL;

	rcu_read_lock();
	if (!inet6)
		sk = tcphs_compat_established4(net, *(const __be32 *)remote,
					       htons(dport),
					       *(const __be32 *)local, sport,
					       dif);
#if IS_ENABLED(CONFIG_IPV6)
	else
		sk = tcphs_compat_established6(net, remote, htons(dport),
					       local, sport, dif);
#endif
	rcu_read_unlock();
	return sk;
}

/*
 * What a mini-socket has: addresses and two numbers. `from` is the full socket
 * it came from, for its uid, where that is at hand.
 */
static void timewait_record(const struct inet_timewait_sock *tw, int old,
			    int new, const struct sock *from)
{
	const struct tcp_timewait_sock *tcptw;
	struct tcphs_transition *t;
	struct tcphs_record *r;
	struct tcphs_write w;

	if (tcphs_filter_drops(twsk_net(tw)->ns.inum, tw->tw_num,
			       ntohs(tw->tw_dport)))
		return;
	tcptw = tcp_twsk((const struct sock *)tw);
	r = tcphs_ring_begin(&w, TCPHS_TRANSITION);
	if (!r)
		return;
	tcphs_identity_mini_ends(r, (const struct sock *)tw);
	t = &r->transition;
	t->old = old;
	t->new = new;
	t->via = TCPHS_VIA_TIMEWAIT;
	t->has = TCPHS_HAS_SND_NXT | TCPHS_HAS_RCV_NXT;
	memset(&t->nr, 0, sizeof(t->nr));
	t->nr.snd_nxt = tcptw->tw_snd_nxt;
	t->nr.rcv_nxt = tcptw->tw_rcv_nxt;
	t->uid = from ? tcphs_identity_uid(from) : TCPHS_UID_UNKNOWN;
	t->pid = 0;
	memset(t->comm, 0, sizeof(t->comm));
	tcphs_transition_lives(t);
	tcphs_ring_commit(&w);
}

/**
 * tcphs_minisock_timewait() - did a TIME_WAIT mini-socket take over?
 * @sk: full socket at FIN_WAIT2 -> CLOSE or CLOSING -> CLOSE
 * @old: its state
 *
 * tcp_time_wait() hashes the mini-socket before it closes the full one (in
 * 5.10 to 7.2), so it can be found; if there is none, CLOSE is what it says.
 */
void tcphs_minisock_timewait(const struct sock *sk, int old)
{
	const struct inet_timewait_sock *tw;
	bool inet6 = false;
	struct sock *found;

#if IS_ENABLED(CONFIG_IPV6)
	inet6 = sk->sk_family == AF_INET6 &&
		!ipv6_addr_v4mapped(&sk->sk_v6_daddr);
#endif
	found = tcphs_minisock_find(sock_net(sk), inet6,
#if IS_ENABLED(CONFIG_IPV6)
				    inet6 ? (const void *)&sk->sk_v6_rcv_saddr :
#endif
				    &sk->sk_rcv_saddr,
				    ntohs(inet_sk(sk)->inet_sport),
#if IS_ENABLED(CONFIG_IPV6)
				    inet6 ? (const void *)&sk->sk_v6_daddr :
#endif
				    &sk->sk_daddr,
				    ntohs(inet_sk(sk)->inet_dport),
				    READ_ONCE(sk->sk_bound_dev_if));
	if (!found)
		return;
	if (found->sk_state == TCP_TIME_WAIT) {
		tw = inet_twsk(found);
		timewait_record(tw, old, READ_ONCE(tw->tw_substate), sk);
	}
	sock_gen_put(found);
}

/**
 * tcphs_minisock_timewait_state() - a mini-socket went from old to new
 * @tw: the mini-socket
 * @old: TCP_FIN_WAIT2
 * @new: TCP_TIME_WAIT
 *
 * Context: softirq; the caller holds a reference.
 */
void tcphs_minisock_timewait_state(const struct inet_timewait_sock *tw,
				   int old, int new)
{
	timewait_record(tw, old, new, NULL);
}

/**
 * tcphs_minisock_timewait_end() - kprobe at tcp_twsk_destructor(sk)
 * @regs: at its entry
 *
 * The last reference is gone: by expiry, by reuse of the port pair, by a reset
 * or with its network namespace. Context: softirq or process.
 */
void tcphs_minisock_timewait_end(struct pt_regs *regs)
{
	const struct inet_timewait_sock *tw;

	tw = (void *)regs_get_kernel_argument(regs, 0);
	timewait_record(tw, tw->tw_substate, TCP_CLOSE, NULL);
}

/**
 * tcphs_minisock_listener() - look up who listens at an address
 * @net: these are as of tcphs_minisock_find()
 * @inet6: IPv6, else IPv4
 * @local: address of this end
 * @sport: port of this end, host byte order
 * @remote: address of the other end
 * @dport: port of the other end, host byte order
 * @dif: index of the device that the socket may be bound to
 *
 * Context: RCU, which alone keeps what is returned. A listener that a BPF
 * program chooses among several on one port is not followed.
 * Return: NULL if nobody listens.
 */
struct sock *tcphs_minisock_listener(struct net *net, bool inet6,
				     const void *local, u16 sport,
				     const void *remote, u16 dport, int dif)
{
	if (!inet6)
		return tcphs_compat_listener4(net, *(const __be32 *)remote,
					      htons(dport),
					      *(const __be32 *)local, sport,
					      dif);
#if IS_ENABLED(CONFIG_IPV6)
	return tcphs_compat_listener6(net, remote, htons(dport), local, sport,
				      dif);
#else
	return NULL;
#endif
}

static void queues_set(struct tcphs_queues *queues, const struct sock *listener)
{
	queues->listener = tcphs_identity_hash(listener);
	queues->drops = atomic_read(&listener->sk_drops);
	queues->syns = min_t(u32, inet_csk_reqsk_queue_len(listener), U16_MAX);
	queues->accepts = min_t(u32, READ_ONCE(listener->sk_ack_backlog),
				U16_MAX);
}

/* Interrupts are off in between, as in tcphs_ring_begin(). */
static void request_record(const struct request_sock *req, int old, int new)
{
	const struct sock *listener = req->rsk_listener;
	const struct tcp_request_sock *treq = tcp_rsk(req);
	struct tcphs_transition *t;
	struct tcphs_record *r;
	struct tcphs_write w;

	r = tcphs_ring_begin(&w, TCPHS_TRANSITION);
	if (!r)
		return;
	tcphs_identity_mini_ends(r, req_to_sk((struct request_sock *)req));
	t = &r->transition;
	t->old = old;
	t->new = new;
	t->via = TCPHS_VIA_REQUEST;
	t->has = TCPHS_HAS_SND_NXT | TCPHS_HAS_SND_UNA | TCPHS_HAS_RCV_NXT |
		 TCPHS_HAS_ISS | TCPHS_HAS_IRS;
	t->nr.iss = treq->snt_isn;
	t->nr.irs = treq->rcv_isn;
	t->nr.snd_una = treq->snt_isn;
	t->nr.snd_nxt = treq->snt_isn + 1;
	t->nr.rcv_nxt = treq->rcv_nxt;
	t->nr.write_seq = 0;
	t->pid = 0;
	t->uid = tcphs_identity_uid(listener);
	queues_set(&t->queues, listener);
	tcphs_transition_lives(t);
	if (new == TCP_CLOSE)
		t->timeouts = req->num_timeout;
	tcphs_ring_commit(&w);
}

/**
 * tcphs_minisock_request() - a SYN is answered for the first time
 * @req: request socket whose SYN,ACK is on its way; not a SYN cookie's
 *
 * Context: softirq.
 */
void tcphs_minisock_request(const struct request_sock *req)
{
	if (req->rsk_listener)
		request_record(req, TCP_LISTEN, TCP_SYN_RECV);
}

/**
 * tcphs_minisock_request_end() - kprobe at tcp_v4/6_reqsk_destructor(req)
 * @regs: at its entry
 *
 * Every request ends here, most of them after accept() of their child, which
 * is of no interest. Without a child: it expired, or a reset ended it, or its
 * listener is gone. Requests of SYN cookies have no listener; those that never
 * answered their SYN have no time of the SYN,ACK.
 */
void tcphs_minisock_request_end(struct pt_regs *regs)
{
	const struct request_sock *req;
	const struct sock *sk;

	req = (void *)regs_get_kernel_argument(regs, 0);
	if (req->sk || !req->rsk_listener || !tcp_rsk(req)->snt_synack)
		return;
	sk = req_to_sk((struct request_sock *)req);
	if (tcphs_filter_drops(sock_net(sk)->ns.inum, sk->sk_num,
			       ntohs(sk->sk_dport)))
		return;
	request_record(req, TCP_SYN_RECV, TCP_CLOSE);
}
