// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoint probes: what happens to full sockets, as records.
 *
 * Context of all: process with the socket's lock held, or softirq; from 7.x on
 * also preemptible. A probe must not sleep and takes no lock. The event comes
 * before sk_state is written, and for some transitions before addresses, port
 * or sequence numbers are: what does not exist yet is marked as such, never
 * copied from whatever is there.
 */
#include <linux/tcp.h>
#include <net/inet_connection_sock.h>

#include "compat.h"
#include "filter.h"
#include "identity.h"
#include "minisock.h"
#include "ring.h"
#include "transition.h"

static_assert((int)TCPHS_ESTABLISHED == (int)TCP_ESTABLISHED);
static_assert((int)TCPHS_TIME_WAIT == (int)TCP_TIME_WAIT);
static_assert((int)TCPHS_CLOSING == (int)TCP_CLOSING);
static_assert(sizeof_field(struct tcphs_transition, comm) == TASK_COMM_LEN);

static __always_inline bool filter_drops(const struct sock *sk)
{
	u16 sport, dport;
	u32 netns;

	if (!tcphs_filter_on())
		return false;
	netns = sock_net(sk)->ns.inum;
	sport = ntohs(inet_sk(sk)->inet_sport);
	dport = ntohs(inet_sk(sk)->inet_dport);
	return TCPHS_PROBES_UNDER_RCU ? tcphs_filter_drops(netns, sport, dport) :
					tcphs_filter_drops_any(netns, sport, dport);
}

/*
 * RFC 9293, 3.3.1 variables of a socket that has them. The initial numbers
 * follow from the byte counts, which count SYN and FIN too (a repaired socket
 * has none).
 * Return: TCPHS_HAS_* bits.
 */
static __always_inline u8 numbers_set(struct tcphs_numbers *nr, const struct tcp_sock *tp)
{
	u8 has = TCPHS_HAS_SND_NXT | TCPHS_HAS_SND_UNA | TCPHS_HAS_RCV_NXT |
		 TCPHS_HAS_WRITE_SEQ;

	nr->snd_nxt = READ_ONCE(tp->snd_nxt);
	nr->snd_una = READ_ONCE(tp->snd_una);
	nr->rcv_nxt = READ_ONCE(tp->rcv_nxt);
	nr->write_seq = READ_ONCE(tp->write_seq);
	if (likely(!tp->repair)) {
		nr->irs = nr->rcv_nxt - (u32)tp->bytes_received - 1;
		has |= TCPHS_HAS_IRS;
	}
	return has;
}

/* SYN_SENT: our SYN is all there is, if it went out at all. */
static u8 numbers_set_unsynchronized(struct tcphs_numbers *nr,
				     const struct tcp_sock *tp)
{
	if (!tp->segs_out)
		return 0;
	nr->snd_nxt = tp->snd_nxt;
	nr->snd_una = tp->snd_una;
	nr->write_seq = tp->write_seq;
	nr->iss = tp->snd_una;
	return TCPHS_HAS_SND_NXT | TCPHS_HAS_SND_UNA | TCPHS_HAS_WRITE_SEQ |
	       TCPHS_HAS_ISS;
}

/*
 * A socket that has just been synchronized: its initial number. Our SYN counts in
 * bytes_acked where tcp_ack() saw it acknowledged: in SYN_SENT, but not in a child
 * that was born after it. Only such a child has no struct socket here; a Fast Open
 * child or a simultaneous open may, and its number is known from its SYN.
 */
static __always_inline u8 iss_set(struct tcphs_numbers *nr, const struct sock *sk,
				  int old)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (unlikely(tp->repair) || (old == TCP_SYN_RECV && sk->sk_socket))
		return 0;
	nr->iss = nr->snd_una - (u32)tp->bytes_acked - (old == TCP_SYN_RECV);
	return TCPHS_HAS_ISS;
}

static __always_inline u8 birth_set(struct tcphs_birth *birth, const struct sock *sk, int new)
{
	birth->mark = READ_ONCE(sk->sk_mark);
	birth->cgroup = tcphs_identity_cgroup(sk);
	birth->backlog = new == TCP_LISTEN ?
			 READ_ONCE(sk->sk_max_ack_backlog) : 0;
	return TCPHS_HAS_BIRTH;
}

/* A second connect() finds the first one's port in inet_sport, given back. */
static __always_inline void client_ends(struct tcphs_record *r, const struct sock *sk)
{
	if (!inet_sk(sk)->inet_num)
		r->sport = 0;
}

/* From CLOSE, LISTEN, SYN_SENT or SYN_RECV: a birth, or its end. */
static __always_inline u8 early_set(struct tcphs_record *r, const struct sock *sk,
				    int old, int new)
{
	struct tcphs_transition *t = &r->transition;

	if (old == TCP_SYN_RECV) {
		u8 has = numbers_set(&t->nr, tcp_sk(sk));

		return new == TCP_ESTABLISHED ? has | iss_set(&t->nr, sk, old) : has;
	}
	if (old == TCP_SYN_SENT) {
		/* SYN_SENT -> SYN_RECV: rcv_nxt is set only after the event. */
		if (new != TCP_ESTABLISHED)
			return numbers_set_unsynchronized(&t->nr, tcp_sk(sk));
		return numbers_set(&t->nr, tcp_sk(sk)) | iss_set(&t->nr, sk, old);
	}
	if (new == TCP_SYN_SENT && old == TCP_CLOSE)
		client_ends(r, sk);
	else if (new != TCP_LISTEN && !(new == TCP_SYN_RECV && old == TCP_LISTEN))
		return 0;
	return birth_set(&t->birth, sk, new);
}

/* Return: TCPHS_HAS_* bits of what the event's socket has to say. */
static __always_inline u8 payload_set(struct tcphs_record *r, const struct sock *sk,
				      int old, int new)
{
	struct tcphs_transition *t = &r->transition;

	if (1 << old & (TCPF_CLOSE | TCPF_LISTEN | TCPF_SYN_SENT | TCPF_SYN_RECV))
		return early_set(r, sk, old, new);
	return numbers_set(&t->nr, tcp_sk(sk));
}

/* @process: tcphs_identity_acts() */
static __always_inline u8 facts(const struct sock *sk, bool process)
{
	u8 fact = 0;

	if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime)
		fact |= TCPHS_FACT_LINGER;
	if (process)
		fact |= TCPHS_FACT_PROCESS;
	if (sock_flag(sk, SOCK_DEAD))
		fact |= TCPHS_FACT_DEAD;
	return fact;
}

/* Bytes that the process has not read; a FIN, which has a number, too, is none. */
static __always_inline u32 unread(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 numbers = tp->rcv_nxt - READ_ONCE(tp->copied_seq);

	return numbers && sock_flag(sk, SOCK_DONE) ? numbers - 1 : numbers;
}

/* Why the socket ends, as far as it tells. */
static __always_inline void end_set(struct tcphs_transition *t, const struct sock *sk,
				    bool process)
{
	t->error = READ_ONCE(sk->sk_err);
	t->fact = facts(sk, process);
	t->timeouts = inet_csk(sk)->icsk_retransmits;
	t->unread = t->has & TCPHS_HAS_RCV_NXT ? unread(sk) : 0;
}

/*
 * Compiled for either context: in a softirq there is no owner, and mostly nobody to
 * keep away.
 */
static __always_inline void transition_record(const struct sock *sk, int old,
					      int new, u8 extra, bool softirq)
{
	const bool alone = softirq && !IS_ENABLED(CONFIG_PREEMPT_RT);
	const bool process = !softirq && tcphs_identity_acts(sk, new == TCP_CLOSE);
	struct tcphs_transition *t;
	struct tcphs_record *r;
	struct tcphs_write w;
	u8 has;

	r = tcphs_ring_begin(&w, TCPHS_TRANSITION, alone);
	tcphs_identity_ends(r, sk);
	if (extra)
		r->flags |= extra;
	t = &r->transition;
	t->old = old;
	t->new = new;
	t->via = TCPHS_VIA_TRACEPOINT;
	t->uid = tcphs_identity_uid(sk);
	has = payload_set(r, sk, old, new);
	has |= tcphs_identity_owner(process, &t->pid, t->comm);
	t->has = has;
	if (likely(new != TCP_CLOSE)) {
		tcphs_ring_commit(&w, r, alone);
		return;
	}
	end_set(t, sk, process);
	tcphs_ring_commit(&w, r, alone);
	if (old == TCP_FIN_WAIT2 || old == TCP_CLOSING)
		tcphs_minisock_timewait(sk, old);
}

static __always_inline void transition(const struct sock *sk, int old, int new,
				       u8 extra)
{
	if (tcphs_identity_in_softirq())
		transition_record(sk, old, new, extra, true);
	else
		transition_record(sk, old, new, extra, false);
}

/** tcphs_transition_state() - probe of sock:inet_sock_set_state */
void notrace tcphs_transition_state(void *data, const struct sock *sk,
				    const int old, const int new)
{
	if (!tcphs_identity_is_tcp(sk) || filter_drops(sk))
		return;
	transition(sk, old, new, 0);
}

/**
 * tcphs_transition_birth() - CLOSE -> SYN_SENT, told late
 * @sk: a socket whose first SYN is just leaving
 *
 * Context: of the segment hook.
 */
void tcphs_transition_birth(const struct sock *sk)
{
	transition(sk, TCP_CLOSE, TCP_SYN_SENT, TCPHS_LATE);
}

static bool has_numbers(int state)
{
	return state != TCP_LISTEN && state != TCP_CLOSE &&
	       state != TCP_SYN_SENT;
}

/* What a reset record of either direction has. @ends: the socket ends on its own */
static void reset_set(struct tcphs_reset *reset, const struct sock *sk, bool ends)
{
	bool process = tcphs_identity_acts(sk, ends);
	const struct tcp_sock *tp = tcp_sk(sk);

	reset->fact = facts(sk, process);
	reset->state = sk->sk_state;
	reset->probes = inet_csk(sk)->icsk_probes_out;
	reset->error = READ_ONCE(sk->sk_err);
	reset->uid = tcphs_identity_uid(sk);
	if (has_numbers(sk->sk_state) || (sk->sk_state == TCP_CLOSE &&
					  tp->rcv_nxt && tp->segs_in)) {
		reset->has = numbers_set(&reset->nr, tp);
		reset->unread = unread(sk);
	} else if (sk->sk_state == TCP_SYN_SENT) {
		reset->has = numbers_set_unsynchronized(&reset->nr, tp);
		reset->unread = 0;
	} else {
		reset->has = 0;
		reset->unread = 0;
	}
	reset->has |= tcphs_identity_owner(process, &reset->pid, reset->comm);
}

/**
 * tcphs_transition_send_reset() - probe of tcp:tcp_send_reset
 * @sk: who resets; NULL if nobody
 * @skb: the segment that is answered, NULL where the socket resets on its own
 * @reason: enum sk_rst_reason, or TCPHS_REASON_UNKNOWN
 *
 * Without a connection's socket (none, a listener, a mini-socket) the RST
 * is told by its segment record alone.
 */
void tcphs_transition_send_reset(const struct sock *sk,
				 const struct sk_buff *skb, u8 reason)
{
	struct tcphs_record *r;
	struct tcphs_write w;

	if (!sk || !sk_fullsock(sk) || sk->sk_state == TCP_LISTEN ||
	    !tcphs_identity_is_tcp(sk) || filter_drops(sk))
		return;
	r = tcphs_ring_begin(&w, TCPHS_RESET, false);
	tcphs_identity_ends(r, sk);
	r->reset.out = 1;
	r->reset.reason = reason;
	reset_set(&r->reset, sk, !skb);
	if (skb)
		r->reset.fact |= TCPHS_FACT_REPLY;
	tcphs_ring_commit(&w, r, false);
}

/** tcphs_transition_receive_reset() - probe of tcp:tcp_receive_reset */
void tcphs_transition_receive_reset(void *data, struct sock *sk)
{
	struct tcphs_record *r;
	struct tcphs_write w;

	if (!tcphs_identity_is_tcp(sk) || filter_drops(sk))
		return;
	r = tcphs_ring_begin(&w, TCPHS_RESET, false);
	tcphs_identity_ends(r, sk);
	r->reset.out = 0;
	r->reset.reason = TCPHS_REASON_UNKNOWN;
	reset_set(&r->reset, sk, false);
	tcphs_ring_commit(&w, r, false);
}

static __always_inline void destroy_record(const struct sock *sk, u32 drops,
					   bool alone)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcphs_destroy *d;
	struct tcphs_record *r;
	struct tcphs_write w;

	r = tcphs_ring_begin(&w, TCPHS_DESTROY, alone);
	tcphs_identity_ends(r, sk);
	d = &r->destroy;
	d->retransmits = tp->total_retrans;
	d->bytes_sent = tp->bytes_sent;
	d->bytes_acked = tp->bytes_acked;
	d->bytes_received = tp->bytes_received;
	d->segs_in = tp->segs_in;
	d->segs_out = tp->segs_out;
	d->data_segs_in = tp->data_segs_in;
	d->data_segs_out = tp->data_segs_out;
	d->drops = drops;
	d->rtt_us = tp->srtt_us >> 3;
	d->min_rtt_us = minmax_get(&tp->rtt_min);
	if (d->min_rtt_us == ~0U)
		d->min_rtt_us = 0;
	d->bytes_retrans = tp->bytes_retrans;
	tcphs_ring_commit(&w, r, alone);
}

/** tcphs_transition_destroy() - probe of tcp:tcp_destroy_sock */
void notrace tcphs_transition_destroy(void *data, struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 drops;

	if (!tcphs_identity_is_tcp(sk))
		return;
	/* A socket that was never part of a connection left no record. */
	drops = atomic_read(&sk->sk_drops);
	if ((!tp->segs_in && !tp->segs_out && !drops) || filter_drops(sk))
		return;
	if (tcphs_ring_alone())
		destroy_record(sk, drops, true);
	else
		destroy_record(sk, drops, false);
}
