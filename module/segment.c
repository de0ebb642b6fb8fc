// SPDX-License-Identifier: GPL-2.0
/*
 * Netfilter hooks: which segments pass, as records.
 *
 * LOCAL_OUT at first priority sees what the stack sends before any local NAT,
 * LOCAL_IN at last priority what TCP really receives, after NAT and firewall.
 * Both run in softirq or process context (LOCAL_OUT preemptibly), under RCU.
 *
 * Data segments and the pure ACKs among them are most of the traffic and none
 * of the handshake: hook() lets them go after a few instructions. Which pure
 * ACKs belong to opening, closing or probing follows from the socket's state.
 */
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/inet_connection_sock.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#include "compat.h"
#include "filter.h"
#include "hint.h"
#include "identity.h"
#include "minisock.h"
#include "packet.h"
#include "ring.h"
#include "segment.h"
#include "transition.h"

static u8 mode __read_mostly;

/* The socket at this end, as far as it is known. */
struct local {
	const struct sock *sk;	/* of any kind; NULL unknown or none */
	bool held;		/* give sk back */
	u8 mark;		/* TCPHS_SEG_MINI, _NO_SOCKET, _COOKIE */
};

/*
 * Per CPU: the FIN_WAIT2 mini-socket to which a FIN was just delivered. Its
 * answer follows in the same softirq.
 */
static DEFINE_PER_CPU(const void *, fin_waiter);

static struct sock *packet_lookup(const struct tcphs_packet *p, bool out)
{
	const struct net_device *dev = out ? p->state->out : p->state->in;

	return tcphs_minisock_find(p->state->net, p->inet6,
				   tcphs_packet_local(p, out),
				   tcphs_packet_sport(p, out),
				   tcphs_packet_remote(p, out),
				   tcphs_packet_dport(p, out),
				   dev ? dev->ifindex : 0);
}

/* Who would get a SYN to this address. */
static const struct sock *packet_listener(const struct tcphs_packet *p)
{
	const struct net_device *dev = p->state->in;

	return tcphs_minisock_listener(p->state->net, p->inet6, p->daddr,
				       ntohs(p->th->dest), p->saddr,
				       ntohs(p->th->source),
				       dev ? dev->ifindex : 0);
}

static bool is_mini(const struct sock *sk)
{
	return sk->sk_state == TCP_NEW_SYN_RECV || sk->sk_state == TCP_TIME_WAIT;
}

/* The state of a socket of any kind, as records name it. */
static u8 state_of(const struct sock *sk)
{
	if (sk->sk_state == TCP_NEW_SYN_RECV)
		return TCP_SYN_RECV;
	if (sk->sk_state == TCP_TIME_WAIT)
		return READ_ONCE(inet_twsk(sk)->tw_substate);
	return sk->sk_state;
}

static bool had_data(const struct tcp_sock *tp)
{
	return tp->data_segs_in | tp->data_segs_out;
}

/*
 * A pure ACK leaves: does it belong to opening, closing or probing, or only to
 * data? Sets its mark.
 */
static bool ack_out_wanted(struct tcphs_packet *p, const struct sock *sk)
{
	const struct tcp_sock *tp;

	if (tcphs_hint_expected(p))
		p->mark = TCPHS_SEG_ANSWER;
	if (!sk || is_mini(sk) || sk->sk_type != SOCK_STREAM)
		return true;
	tp = tcp_sk(sk);
	/* RFC 9293, 3.8.4: a probe repeats the last number. */
	if (before(ntohl(p->th->seq), tp->snd_nxt))
		p->mark = TCPHS_SEG_PROBE;
	switch (sk->sk_state) {
	case TCP_ESTABLISHED:
		if (had_data(tp))
			return p->mark;
		/* The third segment answers the SYN,ACK and no challenge. */
		p->mark &= TCPHS_SEG_PROBE;
		return true;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		/* tcp_fin() sets SOCK_DONE before the FIN is acknowledged. */
		return p->mark || sock_flag(sk, SOCK_DONE);
	default:
		return true;
	}
}

/* The same of one that arrives, for a socket that is known. */
static bool ack_in_wanted(struct tcphs_packet *p, const struct sock *sk)
{
	const struct tcp_sock *tp;

	if (is_mini(sk) || sk->sk_type != SOCK_STREAM)
		return true;
	tp = tcp_sk(sk);
	/* Exactly one below: what is older is an ACK that was overtaken. */
	if (ntohl(p->th->seq) == READ_ONCE(tp->rcv_nxt) - 1)
		p->mark = TCPHS_SEG_PROBE;
	else if (inet_csk(sk)->icsk_probes_out)
		p->mark = TCPHS_SEG_ANSWER;
	switch (sk->sk_state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		return p->mark || !had_data(tp);
	case TCP_FIN_WAIT1:
		return p->mark || ntohl(p->th->ack_seq) == tp->write_seq;
	default:
		return true;
	}
}

/* Looks at an incoming pure ACK's socket, and leaves it in local if found. */
static bool ack_in_check(struct tcphs_packet *p, struct local *local)
{
	bool wanted;

	if (!local->sk && p->state->in->flags & IFF_LOOPBACK) {
		wanted = tcphs_hint_arrived(p);
	} else {
		if (!local->sk) {
			local->sk = packet_lookup(p, false);
			local->held = local->sk;
		}
		wanted = !local->sk || ack_in_wanted(p, local->sk);
	}
	if (p->mark & TCPHS_SEG_PROBE)
		tcphs_hint_expect(p);
	return wanted;
}

/* Was this SYN,ACK sent before? It is stamped with the first one's time. */
static bool synack_repeated(const struct request_sock *req,
			    const struct sk_buff *skb)
{
	u64 first = tcp_rsk(req)->snt_synack;

	return first && first != tcp_skb_timestamp_us(skb);
}

/* Has the socket sent this sequence number before? snd_nxt moves on after. */
static bool is_retransmit(const struct tcphs_packet *p, const struct sock *sk, u8 f)
{
	const struct request_sock *req;
	const struct tcp_sock *tp;

	if (sk->sk_state == TCP_NEW_SYN_RECV)
		return synack_repeated(inet_reqsk(sk), p->skb);
	if (is_mini(sk))
		return false;
	tp = tcp_sk(sk);
	if (sk->sk_state == TCP_SYN_RECV && f & TCPHDR_SYN) {
		/* RCU is held by the caller of the hook. */
		req = rcu_dereference(tp->fastopen_rsk);
		if (req)
			return synack_repeated(req, p->skb);
		/* Simultaneous open: the SYN again, but now with an ACK. */
		return inet_csk(sk)->icsk_retransmits;
	}
	return (p->len || f & (TCPHDR_SYN | TCPHDR_FIN)) &&
	       before(ntohl(p->th->seq), tp->snd_nxt);
}

/*
 * The options as they are, unread: at most 40 bytes, in words of 4. They follow
 * the header in memory if both are linear, as nearly always.
 */
static __always_inline void options_set(u8 *options, const struct tcphs_packet *p)
{
	unsigned int len = p->th->doff * 4;
	const u8 *from = (const u8 *)p->th;
	unsigned int i;

	/* In one go: the compiler makes 5 stores of it. */
	memset(options, 0, sizeof_field(struct tcphs_segment, options));
	if (unlikely(p->off + len > skb_headlen(p->skb))) {
		len = min(len, p->skb->len - p->off);
		if (len > TCPHS_TCP_LEN)
			skb_copy_bits(p->skb, p->off + TCPHS_TCP_LEN, options,
				      len - TCPHS_TCP_LEN);
		return;
	}
	for (i = TCPHS_TCP_LEN; i < len; i += 4)
		memcpy(options + i - TCPHS_TCP_LEN, from + i, 4);
}

static __always_inline void segment_record(const struct tcphs_packet *p,
					   const struct local *local, u8 f,
					   bool out, bool inet6)
{
	const struct tcphdr *th = p->th;
	const struct sock *sk = local->sk;
	struct tcphs_segment *s;
	struct tcphs_record *r;
	struct tcphs_write w;
	u8 mark;

	mark = local->mark | p->mark | (out ? TCPHS_SEG_OUT : 0);
	if (sk && is_mini(sk))
		mark |= TCPHS_SEG_MINI;
	if (out && sk && is_retransmit(p, sk, f))
		mark |= TCPHS_SEG_RETRANSMIT;

	r = tcphs_ring_begin(&w, TCPHS_SEGMENT);
	if (!r)
		return;
	r->flags = inet6 ? TCPHS_INET6 : 0;
	r->netns = p->state->net->ns.inum;
	/* A listener's name would join what only came to the same port. */
	r->sock = sk && sk->sk_state != TCP_LISTEN ? tcphs_identity_hash(sk) : 0;
	tcphs_identity_addr(r->saddr, tcphs_packet_local(p, out), inet6);
	tcphs_identity_addr(r->daddr, tcphs_packet_remote(p, out), inet6);
	r->sport = tcphs_packet_sport(p, out);
	r->dport = tcphs_packet_dport(p, out);
	s = &r->segment;
	s->mark = mark;
	s->state = sk ? state_of(sk) : TCPHS_STATE_UNKNOWN;
	s->offset = ((const u8 *)th)[TCPHS_OFFSET_BYTE];
	s->flags = f;
	s->seq = ntohl(th->seq);
	s->ack = ntohl(th->ack_seq);
	s->len = p->len;
	s->win = ntohs(th->window);
	s->urg = ntohs(th->urg_ptr);
	options_set(s->options, p);
	tcphs_ring_commit(&w);
}

/*
 * Sent without a connection's socket: out of a control socket (SOCK_RAW, or
 * none at all), or by a process's own raw socket; or a SYN,ACK with a cookie.
 */
static void control_check(const struct tcphs_packet *p, struct local *local, u8 f)
{
	local->sk = NULL;
	local->mark = TCPHS_SEG_NO_SOCKET;
	if (f & TCPHDR_SYN) {
		if (f & TCPHDR_ACK && !p->skb->sk) {
			local->mark = TCPHS_SEG_COOKIE;
			tcphs_hint_cookie();
		}
		return;
	}
	if (f & TCPHDR_RST)
		return;
	/* An ACK: a mini-socket's. A full socket would have sent it itself. */
	local->sk = packet_lookup(p, true);
	local->held = local->sk;
	if (!local->sk)
		return;
	if (is_mini(local->sk)) {
		local->mark = 0;
		return;
	}
	sock_gen_put((struct sock *)local->sk);
	local->sk = NULL;
	local->held = false;
}

/* An ACK leaves a TIME_WAIT mini-socket that a FIN has just moved there. */
static void fin_answered(const struct sock *sk)
{
	if (sk->sk_state != TCP_TIME_WAIT ||
	    this_cpu_read(fin_waiter) != sk)
		return;
	this_cpu_write(fin_waiter, NULL);
	if (READ_ONCE(inet_twsk(sk)->tw_substate) == TCP_TIME_WAIT)
		tcphs_minisock_timewait_state(inet_twsk(sk), TCP_FIN_WAIT2,
					      TCP_TIME_WAIT);
}

/* The filter kept the birth out for want of the local port: tell it now. */
static void birth_tell(const struct tcphs_packet *p, const struct sock *sk)
{
	if (!tcphs_filter_match(p->state->net->ns.inum, 0,
				ntohs(p->th->dest)) &&
	    !is_retransmit(p, sk, TCPHDR_SYN))
		tcphs_transition_birth(sk);
}

static __always_inline void packet_out(const struct tcphs_packet *p, u8 f,
				       bool inet6)
{
	struct local local = { .sk = p->skb->sk };
	const struct sock *sk = local.sk;
	const struct net_device *dev = p->state->out;

	if (tcphs_filter_drops(p->state->net->ns.inum, ntohs(p->th->source),
			       ntohs(p->th->dest)))
		return;
	if (!sk || (sk_fullsock(sk) && sk->sk_type != SOCK_STREAM)) {
		control_check(p, &local, f);
		sk = local.sk;
	}
	if (sk) {
		fin_answered(sk);
		if (static_branch_unlikely(&tcphs_filter_set) &&
		    sk->sk_state == TCP_SYN_SENT)
			birth_tell(p, sk);
		if (sk->sk_state == TCP_NEW_SYN_RECV && f & TCPHDR_SYN &&
		    !synack_repeated(inet_reqsk(sk), p->skb))
			tcphs_minisock_request(inet_reqsk(sk));
	}
	segment_record(p, &local, f, true, inet6);
	if (!p->len && !(f & (TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST)) && dev &&
	    dev->flags & IFF_LOOPBACK)
		tcphs_hint_loopback(p);
	if (local.held)
		sock_gen_put((struct sock *)local.sk);
}

/* Is it about to be dropped since nobody accepts what is there? */
static u8 accept_full(const struct sock *sk)
{
	if (sk->sk_state == TCP_NEW_SYN_RECV)
		sk = inet_reqsk(sk)->rsk_listener;
	else if (sk->sk_state != TCP_LISTEN)
		return 0;
	return sk && sk_acceptq_is_full(sk) ? TCPHS_SEG_ACCEPT_FULL : 0;
}

/*
 * An ACK without a socket, while SYN cookies are out: the listener takes it for
 * one. On loopback its socket was not looked for yet.
 */
static void cookie_check(const struct tcphs_packet *p, struct local *local)
{
	struct sock *sk;

	if (p->state->in->flags & IFF_LOOPBACK) {
		sk = packet_lookup(p, false);
		if (sk) {
			sock_gen_put(sk);
			return;
		}
	}
	local->sk = packet_listener(p);
}

/*
 * A FIN tells more with its socket: whether a mini-socket in FIN_WAIT2 gets
 * it. So does a SYN with its listener. A SYN or RST in a connection is answered
 * by a challenge ACK (RFC 5961).
 */
static void packet_in_prepare(const struct tcphs_packet *p, struct local *local,
			      u8 f)
{
	const struct sock *sk = local->sk;

	if (!sk && (f & TCPHDR_FIN ||
		    (f & (TCPHDR_SYN | TCPHDR_ACK)) == TCPHDR_SYN)) {
		local->sk = sk = packet_lookup(p, false);
		local->held = sk;
	}
	if (!sk && f & TCPHDR_SYN)
		local->sk = packet_listener(p);
	if (f & TCPHDR_FIN && sk && sk->sk_state == TCP_TIME_WAIT &&
	    READ_ONCE(inet_twsk(sk)->tw_substate) == TCP_FIN_WAIT2)
		this_cpu_write(fin_waiter, sk);
	/* A first SYN has no socket but the listener. */
	if (f & (TCPHDR_SYN | TCPHDR_RST) &&
	    (!local->sk || local->sk->sk_state != TCP_LISTEN))
		tcphs_hint_expect(p);
}

static __always_inline void packet_in(struct tcphs_packet *p, u8 f,
				      bool pure_ack, bool inet6)
{
	struct local local = { .sk = p->skb->sk };

	if (tcphs_filter_drops(p->state->net->ns.inum, ntohs(p->th->dest),
			       ntohs(p->th->source)))
		return;
	if (local.sk && sk_fullsock(local.sk) &&
	    local.sk->sk_type != SOCK_STREAM)
		local.sk = NULL;
	if (f & (TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST))
		packet_in_prepare(p, &local, f);
	else if (pure_ack && !ack_in_check(p, &local) &&
		 mode != TCPHS_SEGMENTS_ALL)
		goto out;
	if (!local.sk && f & TCPHDR_ACK && !(f & TCPHDR_RST) &&
	    unlikely(tcphs_hint_cookies()))
		cookie_check(p, &local);
	if (local.sk)
		local.mark |= accept_full(local.sk);
	segment_record(p, &local, f, false, inet6);
out:
	if (local.held)
		sock_gen_put((struct sock *)local.sk);
}

static __always_inline unsigned int hook(struct sk_buff *skb,
					 const struct nf_hook_state *state,
					 bool out, bool inet6)
{
	struct tcphs_packet p;
	bool pure_ack;
	int len;
	u8 f;

	p.skb = skb;
	p.state = state;
	p.mark = 0;
	if (!(inet6 ? tcphs_packet_parse6(&p) : tcphs_packet_parse4(&p)))
		return NF_ACCEPT;
	f = tcphs_packet_flags(p.th);
	/* A header longer than the segment is TCP's to refuse: no payload. */
	len = (int)(skb->len - p.off) -
	      (int)max(p.th->doff * 4U, TCPHS_TCP_LEN);
	p.len = max(len, 0);
	if (f & (TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST) || !(f & TCPHDR_ACK)) {
		pure_ack = false;
	} else {
		pure_ack = !p.len;
		if ((!pure_ack || (out && !ack_out_wanted(&p, skb->sk))) &&
		    mode != TCPHS_SEGMENTS_ALL)
			return NF_ACCEPT;
	}
	if (out)
		packet_out(&p, f, inet6);
	else
		packet_in(&p, f, pure_ack, inet6);
	return NF_ACCEPT;
}

static unsigned int hook_in4(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	return hook(skb, state, false, false);
}

static unsigned int hook_out4(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	return hook(skb, state, true, false);
}

static unsigned int hook_in6(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	return hook(skb, state, false, true);
}

static unsigned int hook_out6(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	return hook(skb, state, true, true);
}

static const struct nf_hook_ops hooks[] = {
	{
		.hook = hook_in4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = hook_out4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FIRST,
	},
	{
		.hook = hook_in6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = hook_out6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FIRST,
	},
};

static int __net_init net_init(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

static void __net_exit net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
};

/** tcphs_segment_mode() - Return: TCPHS_SEGMENTS_* */
u8 tcphs_segment_mode(void)
{
	return mode;
}

/**
 * tcphs_segment_attach() - hook into every network namespace, also later ones
 * @segments: TCPHS_SEGMENTS_*; NONE attaches nothing
 *
 * Context: process, may sleep. Return: 0 or a negative errno.
 */
int tcphs_segment_attach(u8 segments)
{
	mode = segments;
	if (mode == TCPHS_SEGMENTS_NONE)
		return 0;
	return register_pernet_subsys(&net_ops);
}

/** tcphs_segment_detach() - no hook runs any more when this returns */
void tcphs_segment_detach(void)
{
	if (mode == TCPHS_SEGMENTS_NONE)
		return;
	unregister_pernet_subsys(&net_ops);
	/* nf_unregister_net_hooks() does not wait for hooks that run. */
	synchronize_net();
}
