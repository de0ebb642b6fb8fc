// SPDX-License-Identifier: GPL-2.0
/*
 * Request and TIME_WAIT mini-sockets.
 *
 * A SYN makes no socket but a request_sock, and TIME_WAIT is kept by an
 * inet_timewait_sock (as is a FIN_WAIT2 whose process has closed it). Neither
 * passes the state tracepoint; what is recorded here is read from the
 * mini-socket itself, at a moment when it is known to be in that state.
 */
#include <linux/init.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <net/inet_timewait_sock.h>
#include <net/request_sock.h>

#include "compat.h"
#include "filter.h"
#include "hint.h"
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
 * @sdif: index of another one, or 0: a VRF has one below, and those one above
 *
 * Context: process or softirq, not between tcphs_ring_begin() and _commit().
 * Return: full, request or TIME_WAIT socket, to be given back with
 * sock_gen_put(); NULL if there is none.
 */
struct sock *tcphs_minisock_find(struct net *net, bool inet6,
				 const void *local, u16 sport,
				 const void *remote, u16 dport, int dif,
				 int sdif)
{
	struct sock *sk = NULL;

	rcu_read_lock();
	if (!inet6)
		sk = tcphs_compat_established4(net, *(const __be32 *)remote,
					       htons(dport),
					       *(const __be32 *)local, sport,
					       dif, sdif);
#if IS_ENABLED(CONFIG_IPV6)
	else
		sk = tcphs_compat_established6(net, remote, htons(dport),
					       local, sport, dif, sdif);
#endif
	rcu_read_unlock();
	return sk;
}

/*
 * Mini-sockets in FIN_WAIT2: connections without a process whose peer has not
 * sent its FIN yet. Mostly there is none, and no FIN needs a look at who gets
 * it. May be too high, where the end of a mini-socket is not seen. Those that are
 * older than the module, or than the filter, are not in it: on loopback, where
 * early demux has not found them, their FIN is not looked up; and their ends may
 * make it too low for as long as they last, a minute at the most.
 */
atomic_t tcphs_minisock_fin_wait2 = ATOMIC_INIT(0);

/* At -> CLOSE a mini-socket has no more to tell. */
static void nothing_set(struct tcphs_transition *t)
{
	t->error = 0;
	t->fact = 0;
	t->timeouts = 0;
	t->unread = 0;
}

/*
 * What a mini-socket has: addresses and two numbers. `from` is the full socket
 * it came from, for its uid, where that is at hand.
 */
static __always_inline void timewait_record(const struct inet_timewait_sock *tw,
					    int old, int new,
					    const struct sock *from, bool alone)
{
	const struct tcp_timewait_sock *tcptw;
	struct tcphs_transition *t;
	struct tcphs_record *r;
	struct tcphs_write w;

	tcptw = tcp_twsk((const struct sock *)tw);
	r = tcphs_ring_begin(&w, TCPHS_TRANSITION, alone);
	tcphs_identity_mini_ends(r, (const struct sock *)tw);
	t = &r->transition;
	t->old = old;
	t->new = new;
	t->via = TCPHS_VIA_TIMEWAIT;
	t->has = TCPHS_HAS_SND_NXT | TCPHS_HAS_RCV_NXT;
	t->nr.snd_nxt = tcptw->tw_snd_nxt;
	t->nr.rcv_nxt = tcptw->tw_rcv_nxt;
	t->uid = from ? tcphs_identity_uid(from) : TCPHS_UID_UNKNOWN;
	nothing_set(t);
	tcphs_ring_commit(&w, r, alone);
}

/* In any context: sk's mini-socket has taken over. */
static noinline void timewait_tell(const struct inet_timewait_sock *tw, int old,
				   int new, const struct sock *sk)
{
	timewait_record(tw, old, new, sk, false);
}

/* Is other, whose hash is sk's, the mini-socket that took over from sk? */
static __always_inline bool timewait_matches(const struct sock *other,
					     const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	/* inet_num may be given back already; the port it was is not. */
	return other->sk_state == TCP_TIME_WAIT &&
	       other->sk_dport == inet->inet_dport &&
	       other->sk_num == ntohs(inet->inet_sport) &&
	       other->sk_addrpair == sk->sk_addrpair &&
	       net_eq(sock_net(other), sock_net(sk)) &&
#if IS_ENABLED(CONFIG_IPV6)
	       (sk->sk_family != AF_INET6 ||
		(ipv6_addr_equal(&other->sk_v6_daddr, &sk->sk_v6_daddr) &&
		 ipv6_addr_equal(&other->sk_v6_rcv_saddr,
				 &sk->sk_v6_rcv_saddr))) &&
#endif
	       other->sk_bound_dev_if == sk->sk_bound_dev_if;
}

/*
 * With the last reference a socket is freed, for which PREEMPT_RT may sleep; but
 * probes are called with preemption off there. An irq_work, which is a thread then,
 * does it after that. It comes to this only where another CPU ends the socket in the
 * microsecond that it is looked at.
 */
#if defined(CONFIG_PREEMPT_RT) && TCPHS_PROBES_UNDER_RCU
struct parting {
	struct irq_work work;
	struct sock *sk;
};

static DEFINE_PER_CPU(struct parting, parting);

static void parting_fn(struct irq_work *work)
{
	struct parting *p = container_of(work, struct parting, work);
	struct sock *sk = xchg(&p->sk, NULL);

	if (sk)
		sock_gen_put(sk);
}

/* Context: a probe, or where an end is watched. */
static void held_put(struct sock *sk)
{
	struct parting *p = this_cpu_ptr(&parting);

	if (refcount_dec_not_one(&sk->sk_refcnt))
		return;
	/* Two at once are one more chance in a million: the kernel complains then. */
	if (cmpxchg(&p->sk, NULL, sk))
		sock_gen_put(sk);
	else
		irq_work_queue(&p->work);
}

/** tcphs_minisock_init() - before any probe is called, or an end is watched */
void __init tcphs_minisock_init(void)
{
	int cpu;

	/* What is initialised statically for each CPU has no addresses in a module. */
	for_each_possible_cpu(cpu)
		init_irq_work(&per_cpu(parting, cpu).work, parting_fn);
}

/**
 * tcphs_minisock_finish() - give back what could not be given back at once
 *
 * Context: process; no probe is called any more, and no end is watched.
 */
void tcphs_minisock_finish(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		irq_work_sync(&per_cpu(parting, cpu).work);
}
#else
static __always_inline void held_put(struct sock *sk)
{
	sock_gen_put(sk);
}

void __init tcphs_minisock_init(void)
{
}

void tcphs_minisock_finish(void)
{
}
#endif

/*
 * The mini-socket stands in the bucket where the full socket stood, mostly as
 * the first. Its memory may be used again for another one at any time, so it is
 * held before it is looked at. A neighbour's, too: who then stands in another
 * bucket has led there, which the end of the chain tells.
 * Return: to be given back with held_put(), or NULL.
 */
static __always_inline struct sock *timewait_get(const struct sock *sk)
{
	struct inet_hashinfo *hashinfo = tcphs_compat_hashinfo(sock_net(sk));
	struct hlist_nulls_node *node;
	struct sock *other;

again:
	sk_nulls_for_each_rcu(other, node,
			      &inet_ehash_bucket(hashinfo, sk->sk_hash)->chain) {
		if (other->sk_hash != sk->sk_hash || other == sk ||
		    !refcount_inc_not_zero(&other->sk_refcnt))
			continue;
		if (likely(timewait_matches(other, sk)))
			return other;
		held_put(other);
	}
	if (get_nulls_value(node) != (sk->sk_hash & hashinfo->ehash_mask))
		goto again;
	return NULL;
}

/* The same in any context. */
static noinline struct sock *timewait_look_up(const struct sock *sk)
{
	struct sock *found;

	rcu_read_lock();
	found = timewait_get(sk);
	rcu_read_unlock();
	return found;
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
	bool alone = tcphs_ring_alone();
	struct sock *found;
	u8 new;

	/* RCU waits for those who have softirqs off, too. */
	found = alone ? timewait_get(sk) : timewait_look_up(sk);
	if (!found)
		return;
	tw = inet_twsk(found);
	new = READ_ONCE(tw->tw_substate);
	if (new == TCP_FIN_WAIT2)
		atomic_inc(&tcphs_minisock_fin_wait2);
	/* No filter that keeps it out: the full socket's record is written, too. */
	if (alone)
		timewait_record(tw, old, new, sk, true);
	else
		timewait_tell(tw, old, new, sk);
	held_put(found);
}

/**
 * tcphs_minisock_timewait_state() - a mini-socket goes from old to new
 * @tw: the mini-socket, which stays for as long as this takes
 * @old: its state
 * @new: TCP_TIME_WAIT or TCP_CLOSE
 *
 * Context: softirq or process.
 */
void tcphs_minisock_timewait_state(const struct inet_timewait_sock *tw,
				   int old, int new)
{
	if (tcphs_filter_on() &&
	    tcphs_filter_drops_any(twsk_net(tw)->ns.inum, tw->tw_num,
				   ntohs(tw->tw_dport)))
		return;
	/* One that is kept out was not counted either. */
	if (old == TCP_FIN_WAIT2)
		atomic_dec_if_positive(&tcphs_minisock_fin_wait2);
	timewait_record(tw, old, new, NULL, false);
}

/**
 * tcphs_minisock_timewait_end() - at the entry of tcp_twsk_destructor(sk)
 * @sk: a TIME_WAIT mini-socket
 *
 * The last reference is gone: by expiry, by reuse of the port pair, by a reset
 * or with its network namespace. Context: softirq or process.
 */
void tcphs_minisock_timewait_end(const struct sock *sk)
{
	const struct inet_timewait_sock *tw = inet_twsk(sk);

	tcphs_minisock_timewait_state(tw, tw->tw_substate, TCP_CLOSE);
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
 * @sdif: index of another one, or 0
 *
 * Context: RCU, which alone keeps what is returned. A listener that a BPF
 * program chooses among several on one port is not followed.
 * Return: NULL if nobody listens.
 */
struct sock *tcphs_minisock_listener(struct net *net, bool inet6,
				     const void *local, u16 sport,
				     const void *remote, u16 dport, int dif,
				     int sdif)
{
	if (!inet6)
		return tcphs_compat_listener4(net, *(const __be32 *)remote,
					      htons(dport),
					      *(const __be32 *)local, sport,
					      dif, sdif);
#if IS_ENABLED(CONFIG_IPV6)
	return tcphs_compat_listener6(net, remote, htons(dport), local, sport,
				      dif, sdif);
#else
	return NULL;
#endif
}

/* Is there room for what is under way to this listener? */
static bool has_room(const struct sock *listener)
{
	return READ_ONCE(listener->sk_ack_backlog) +
	       inet_csk_reqsk_queue_len(listener) + 1 <
	       READ_ONCE(listener->sk_max_ack_backlog);
}

/* Tells the hints how the listener of a request is. */
static void listener_hint(const struct request_sock *req,
			  const struct sock *listener)
{
	const struct sock *sk = req_to_sk((struct request_sock *)req);
	const void *addr = &sk->sk_rcv_saddr;
	bool inet6 = false, room = has_room(listener);

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !tcphs_identity_is_mapped(sk)) {
		inet6 = true;
		addr = &sk->sk_v6_rcv_saddr;
	}
#endif
	if (!room)
		tcphs_hint_crowd();
	/* Where several share the address, this one says nothing of the next. */
	tcphs_hint_listener(sock_net(sk), inet6, addr, htons(sk->sk_num),
			    room && !listener->sk_reuseport &&
			    !listener->sk_bound_dev_if);
}

static void queues_set(struct tcphs_queues *queues, const struct sock *listener)
{
	queues->listener = tcphs_identity_of(listener);
	queues->drops = atomic_read(&listener->sk_drops);
	queues->syns = min_t(u32, inet_csk_reqsk_queue_len(listener), U16_MAX);
	queues->accepts = min_t(u32, READ_ONCE(listener->sk_ack_backlog),
				U16_MAX);
}

static __always_inline void request_record(const struct request_sock *req,
					   int old, int new, bool alone)
{
	const struct sock *listener = req->rsk_listener;
	const struct tcp_request_sock *treq = tcp_rsk(req);
	struct tcphs_transition *t;
	struct tcphs_record *r;
	struct tcphs_write w;

	r = tcphs_ring_begin(&w, TCPHS_TRANSITION, alone);
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
	t->uid = tcphs_identity_uid(listener);
	queues_set(&t->queues, listener);
	nothing_set(t);
	t->timeouts = req->num_timeout;
	tcphs_ring_commit(&w, r, alone);
}

/* In any context. */
static noinline void request_tell(const struct request_sock *req, int old, int new)
{
	request_record(req, old, new, false);
}

/**
 * tcphs_minisock_request() - a SYN is answered for the first time
 * @req: request socket whose SYN,ACK is on its way; not a SYN cookie's
 *
 * Context: softirq.
 */
void tcphs_minisock_request(const struct request_sock *req)
{
	if (!req->rsk_listener)
		return;
	listener_hint(req, req->rsk_listener);
	if (tcphs_ring_alone())
		request_record(req, TCP_LISTEN, TCP_SYN_RECV, true);
	else
		request_tell(req, TCP_LISTEN, TCP_SYN_RECV);
}

/*
 * Who stands where the request itself stood until now: a Fast Open's child, which
 * accept() took before the handshake's end; or, when its listener was closed, what
 * moved on to another one of the same SO_REUSEPORT group: the child, or a copy of the
 * request (net.ipv4.tcp_migrate_req).
 */
static bool is_successor(const struct sock *sk, const struct request_sock *req)
{
	return sk_fullsock(sk) ||
	       (sk->sk_state == TCP_NEW_SYN_RECV &&
		tcp_rsk(inet_reqsk(sk))->snt_isn == tcp_rsk(req)->snt_isn);
}

/* A request without a child is no more: does the connection go on? */
static bool goes_on(const struct request_sock *req)
{
	const struct sock *sk = req_to_sk((struct request_sock *)req);
	const void *local = &sk->sk_rcv_saddr, *remote = &sk->sk_daddr;
	bool inet6 = false, found;
	struct sock *other;

	/* Data with the SYN: Fast Open. Its child may have closed already. */
	if (tcp_rsk(req)->rcv_nxt != tcp_rsk(req)->rcv_isn + 1)
		return true;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !tcphs_identity_is_mapped(sk)) {
		inet6 = true;
		local = &sk->sk_v6_rcv_saddr;
		remote = &sk->sk_v6_daddr;
	}
#endif
	other = tcphs_minisock_find(sock_net(sk), inet6, local, sk->sk_num, remote,
				    ntohs(sk->sk_dport), sk->sk_bound_dev_if, 0);
	if (!other)
		return false;
	found = is_successor(other, req);
	held_put(other);
	return found;
}

/**
 * tcphs_minisock_request_end() - at the entry of tcp_v4/6_reqsk_destructor(req)
 * @req: a request
 *
 * Every request ends here, most of them after accept() of their child, which
 * is of no interest. Without a child: it expired, or a reset ended it, or its
 * listener is gone. Requests of SYN cookies have no listener; those that never
 * answered their SYN have no time of the SYN,ACK.
 */
void tcphs_minisock_request_end(const struct request_sock *req)
{
	const struct sock *sk;

	if (req->sk || !req->rsk_listener || !tcp_rsk(req)->snt_synack ||
	    goes_on(req))
		return;
	sk = req_to_sk((struct request_sock *)req);
	if (tcphs_filter_on() &&
	    tcphs_filter_drops_any(sock_net(sk)->ns.inum, sk->sk_num,
				   ntohs(sk->sk_dport)))
		return;
	request_tell(req, TCP_SYN_RECV, TCP_CLOSE);
}
