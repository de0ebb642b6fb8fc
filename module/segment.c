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
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/tcp.h>

#include "compat.h"
#include "filter.h"
#include "hint.h"
#include "identity.h"
#include "minisock.h"
#include "packet.h"
#include "record.h"
#include "ring.h"
#include "segment.h"
#include "transition.h"

static u8 mode __read_mostly;

/*
 * Per CPU: the FIN_WAIT2 mini-socket to which a FIN was just delivered. Its
 * answer follows in the same softirq.
 */
static DEFINE_PER_CPU(const void *, fin_waiter);

#define CONTROL_BITS	(TCPHDR_SYN | TCPHDR_FIN | TCPHDR_RST)

/* No more than an ACK, maybe with data? */
static __always_inline bool is_ack(u8 f)
{
	return (f & (CONTROL_BITS | TCPHDR_ACK)) == TCPHDR_ACK;
}

/*
 * The arguments below: those of a hook as it gets them, then where the header is,
 * the payload's length, the header's flags. What the hook is given first is NULL
 * (nf_hook_ops.priv), and TCPHS_SEG_* from there on.
 */
#define PACKET	unsigned long mark, const struct sk_buff *skb, \
		const struct nf_hook_state *state, const struct tcphdr *th, \
		u32 len, u8 f

static __always_inline bool is_mini(u8 state)
{
	return state == TCP_NEW_SYN_RECV || state == TCP_TIME_WAIT;
}

/* Read once: another CPU may change it at any time. */
static __always_inline u8 state_of(const struct sock *sk)
{
	return sk ? READ_ONCE(sk->sk_state) : TCPHS_STATE_UNKNOWN;
}

static __always_inline bool had_data(const struct tcp_sock *tp)
{
	return tp->data_segs_in | tp->data_segs_out;
}

static __always_inline bool is_loopback(const struct net_device *dev)
{
	return dev && dev->flags & IFF_LOOPBACK;
}

/* Has NAT changed it, or what it answers? */
static __always_inline bool is_translated(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	enum ip_conntrack_info info;
	const struct nf_conn *ct = nf_ct_get(skb, &info);

	return unlikely(ct && ct->status & IPS_NAT_MASK);
#else
	return false;
#endif
}

/*
 * Does it come by the loopback device, and left for that? NAT behind LOCAL_OUT may have
 * turned it there. Then no hint says anything, and it is looked at as on other devices.
 */
static __always_inline bool left_for_loopback(const struct sk_buff *skb,
					      const struct nf_hook_state *state)
{
	return is_loopback(state->in) && !is_translated(skb);
}

/*
 * The devices that the segment's socket may be bound to. Out of a VRF comes what a
 * device below it has received; what leaves such a device may be of the VRF's sockets.
 */
struct devices {
	int dif;
	int sdif;
};

static struct devices devices_of(const struct sk_buff *skb,
				 const struct nf_hook_state *state, bool out,
				 bool inet6)
{
	const struct net_device *dev = out ? state->out : state->in;
	struct devices devices = { dev ? dev->ifindex : 0 };

	if (out && dev && netif_is_l3_slave(dev))
		devices.sdif = l3mdev_master_ifindex_rcu(dev);
	else if (!out)
		devices.sdif = inet6 ? inet6_sdif(skb) :
					tcphs_compat_sdif4(skb);
	return devices;
}

/* Return: the connection's socket of any kind, held; or NULL. */
static struct sock *packet_lookup(const struct sk_buff *skb,
				  const struct nf_hook_state *state,
				  const struct tcphdr *th, struct devices bound,
				  bool out, bool inet6)
{
	return tcphs_minisock_find(state->net, inet6,
				   tcphs_packet_local(skb, out, inet6),
				   tcphs_packet_sport(th, out),
				   tcphs_packet_remote(skb, out, inet6),
				   tcphs_packet_dport(th, out), bound.dif,
				   bound.sdif);
}

/*
 * What is left of the arguments when all is known of a segment: the state stands
 * above the mark, as in the record.
 */
#define RECORD	unsigned long mark, const struct sk_buff *skb, \
		const struct nf_hook_state *state, const struct tcphdr *th, \
		u32 len, const struct sock *sk

#define STATE_SHIFT	8

/*
 * Writes the record: the headers as they are, see record.h. Beyond the header's
 * end comes what follows in memory, which the seal keeps in.
 */
static __always_inline unsigned int segment_write(RECORD, bool inet6, bool alone)
{
	struct tcphs_raw_segment *raw;
	struct tcphs_record *r;
	struct tcphs_write w;

	r = tcphs_ring_begin(&w, TCPHS_SEGMENT, alone);
	r->flags = inet6 ? TCPHS_INET6 : 0;
	r->netns = state->net->ns.inum;
	r->sock = tcphs_identity_of(sk);
	raw = tcphs_record_raw(r);
	raw->len = len;
	if (inet6)
		memcpy(raw->addresses,
		       skb->data + offsetof(struct ipv6hdr, saddr), 32);
	else
		memcpy(raw->addresses,
		       skb->data + offsetof(struct iphdr, saddr), 8);
	memcpy(raw->most, th, sizeof(raw->most));
	if (unlikely(tcphs_packet_is_long(th, sizeof(raw->most))))
		memcpy(raw->rest, (const u8 *)th + sizeof(raw->most),
		       sizeof(raw->rest));
	raw->both = cpu_to_le16(mark);
	tcphs_ring_commit(&w, r, alone);
	return NF_ACCEPT;
}

/*
 * Not inline, one for each family, as those below: their calls and registers would
 * cost those that pass by, too. Where one ends in another it is a jump. (notrace: a
 * place for a tracer's call is an instruction, too.)
 */
#define WRITERS(name, alone) \
static noinline notrace unsigned int name##4(RECORD) \
{ \
	return segment_write(mark, skb, state, th, len, sk, false, alone); \
} \
static noinline notrace unsigned int name##6(RECORD) \
{ \
	return segment_write(mark, skb, state, th, len, sk, true, alone); \
}

WRITERS(write_alone, true)
WRITERS(write_guarded, false)

/* @process: where it comes from mostly, else from a softirq */
static __always_inline unsigned int segment_record(RECORD, u8 was, bool inet6,
						   bool process)
{
	if (was == TCP_NEW_SYN_RECV) {
		was = TCP_SYN_RECV;
		mark |= TCPHS_SEG_MINI;
	} else if (was == TCP_TIME_WAIT) {
		was = READ_ONCE(inet_twsk(sk)->tw_substate);
		mark |= TCPHS_SEG_MINI;
	} else if (was == TCP_LISTEN) {
		/* Its name would join what only came to its port. */
		sk = NULL;
	}
	mark |= was << STATE_SHIFT;
	if (!process && tcphs_ring_alone())
		return (inet6 ? write_alone6 : write_alone4)(mark, skb, state, th, len,
							     sk);
	return (inet6 ? write_guarded6 : write_guarded4)(mark, skb, state, th, len, sk);
}

/* ---------------------------------------------------------------- LOCAL_OUT */

/*
 * What an ACK that leaves tells: that no data was sent, nor any acknowledged.
 * At the other end ends_handshake() says so of it.
 */
static __always_inline bool before_data(const struct tcp_sock *tp)
{
	return !(tp->bytes_received | tp->data_segs_out);
}

/*
 * Data in which the client's first ACK rides: nothing but SYNs was sent before
 * (nor acknowledged: that is the SYN's one number, which the socket of a server
 * does not have).
 */
static __always_inline bool data_out_wanted(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;
	const struct tcp_sock *tp;
	u32 segs;

	if (!sk || sk->sk_state != TCP_ESTABLISHED || sk->sk_type != SOCK_STREAM)
		return false;
	tp = tcp_sk(sk);
	if (likely(tp->bytes_acked != 1))
		return false;
	segs = max_t(u32, skb_shinfo(skb)->gso_segs, 1);
	return tp->data_segs_out == segs &&
	       tp->segs_out - tp->total_retrans == segs + 1;
}

/*
 * Is it a connection's own socket, with all that this has? A listener sends nothing
 * itself, but since 6.13 the control socket's answers carry the socket that they are
 * for: where no connection is, who listens there.
 */
static __always_inline bool is_full(const struct sock *sk, u8 was)
{
	return sk && !is_mini(was) && was != TCP_LISTEN && sk->sk_type == SOCK_STREAM;
}

/*
 * A pure ACK leaves a full socket: does it belong to opening, closing or probing, or
 * only to data? Sets its mark.
 */
static __always_inline bool ack_out_wanted(const struct tcphdr *th,
					   const struct sock *sk, u8 was,
					   unsigned long *mark)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/*
	 * RFC 9293, 3.8.4: a probe repeats the last number. Other ACKs may be below
	 * snd_nxt, too, where the peer has taken back its window.
	 */
	if (ntohl(th->seq) == tp->snd_una - 1)
		*mark = TCPHS_SEG_PROBE;
	switch (was) {
	case TCP_ESTABLISHED:
		if (!before_data(tp))
			return *mark;
		/* The third segment answers the SYN,ACK and no challenge. */
		*mark &= TCPHS_SEG_PROBE;
		return true;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		/* tcp_fin() sets SOCK_DONE before the FIN is acknowledged. */
		return *mark || sock_flag(sk, SOCK_DONE);
	default:
		return true;
	}
}

/*
 * Was this SYN,ACK of sk, a listener or its child, sent before? It is stamped with the
 * first one's time, and with TCP_TX_DELAY with when it is to leave.
 */
static __always_inline bool synack_repeated(const struct request_sock *req,
					    const struct sk_buff *skb,
					    const struct sock *sk)
{
	u64 first = tcp_rsk(req)->snt_synack;
	u64 stamp = tcp_skb_timestamp_us(skb);

	return first && first != stamp &&
	       first != stamp - READ_ONCE(tcp_sk(sk)->tcp_tx_delay);
}

/*
 * A SYN,ACK of a full socket in SYN_RECV: a Fast Open child, or a simultaneous
 * open, where it is the SYN again, but now with an ACK.
 */
static bool child_synack_repeated(const struct sk_buff *skb, const struct sock *sk)
{
	const struct request_sock *req;

	/* RCU is held by the caller of the hook. */
	req = rcu_dereference(tcp_sk(sk)->fastopen_rsk);
	return req ? synack_repeated(req, skb, sk) :
		     inet_csk(sk)->icsk_retransmits;
}

/* Has the full socket sent this number before? snd_nxt moves on after. */
static __always_inline bool is_retransmit(PACKET, const struct sock *sk)
{
	return (len || f & (TCPHDR_SYN | TCPHDR_FIN)) &&
	       before(ntohl(th->seq), tcp_sk(sk)->snd_nxt);
}

/* An ACK leaves a TIME_WAIT mini-socket that a FIN has just moved there. */
static void fin_answered(const struct sock *sk)
{
	if (this_cpu_read(fin_waiter) != sk)
		return;
	this_cpu_write(fin_waiter, NULL);
	if (READ_ONCE(inet_twsk(sk)->tw_substate) == TCP_TIME_WAIT)
		tcphs_minisock_timewait_state(inet_twsk(sk), TCP_FIN_WAIT2,
					      TCP_TIME_WAIT);
}

/*
 * The hint before the record: after it nothing is left to do, and no register to
 * be kept.
 */
static __always_inline unsigned int sent_record(PACKET, bool signal,
						const struct sock *sk, u8 was,
						bool inet6)
{
	if (!signal && is_loopback(state->out) &&
	    (!len || mode != TCPHS_SEGMENTS_ALL))
		tcphs_hint_loopback(skb, mark);
	/* Processes begin and end connections, and answer in softirqs. */
	return segment_record(mark, skb, state, th, len, sk, was, inet6,
			      signal && was != TCP_NEW_SYN_RECV);
}

/*
 * Sent without a connection's full socket: out of a control socket (SOCK_RAW, or
 * none at all), maybe for a mini-socket; by a process's own raw socket; or a
 * SYN,ACK with a cookie.
 */
static __always_inline unsigned int control_out(PACKET, bool inet6)
{
	struct sock *sk = skb->sk, *held = NULL;
	u8 was = state_of(sk);

	if (!is_mini(was)) {
		/* An ACK: a mini-socket's. A full socket would have sent it itself. */
		if (!(f & CONTROL_BITS))
			held = packet_lookup(skb, state, th,
					     devices_of(skb, state, true, inet6),
					     true, inet6);
		was = state_of(held);
		sk = is_mini(was) ? held : NULL;
	}
	if (!skb->sk && f & TCPHDR_SYN && f & TCPHDR_ACK) {
		mark |= TCPHS_SEG_COOKIE;
		tcphs_hint_cookie();
		tcphs_hint_forget(state->net, th);
	} else if (!sk) {
		mark |= TCPHS_SEG_NO_SOCKET;
	} else if (was == TCP_TIME_WAIT) {
		fin_answered(sk);
	}
	sent_record(mark, skb, state, th, len, f, f & CONTROL_BITS, sk,
		    state_of(sk), inet6);
	if (held)
		sock_gen_put(held);
	return NF_ACCEPT;
}

/* A request answers its SYN, for the first time or again. */
static __always_inline unsigned int request_out(PACKET, bool inet6)
{
	const struct request_sock *req = inet_reqsk(skb->sk);

	if (f & TCPHDR_SYN) {
		if (synack_repeated(req, skb, req->rsk_listener)) {
			mark |= TCPHS_SEG_RETRANSMIT;
		} else {
			tcphs_hint_forget(state->net, th);
			tcphs_minisock_request(req);
		}
	}
	return sent_record(mark, skb, state, th, len, f, f & CONTROL_BITS, skb->sk,
			   TCP_NEW_SYN_RECV, inet6);
}

/* A function of either family. */
#define FAMILIES(function) \
static noinline notrace unsigned int function##4(PACKET) \
{ \
	return function(mark, skb, state, th, len, f, false); \
} \
static noinline notrace unsigned int function##6(PACKET) \
{ \
	return function(mark, skb, state, th, len, f, true); \
}

/* A full socket's SYN,ACK, where it is not the one that its number tells. */
static __always_inline unsigned int child_out(PACKET, bool inet6)
{
	if (child_synack_repeated(skb, skb->sk))
		mark |= TCPHS_SEG_RETRANSMIT;
	return sent_record(mark, skb, state, th, len, f, true, skb->sk, TCP_SYN_RECV,
			   inet6);
}

FAMILIES(control_out)
FAMILIES(request_out)
FAMILIES(child_out)

/* The filter kept the birth out for want of the local port: tell it now. */
static void birth_tell(const struct nf_hook_state *state,
		       const struct tcphdr *th, const struct sock *sk)
{
	if (state_of(sk) == TCP_SYN_SENT && sk->sk_type == SOCK_STREAM &&
	    !tcphs_filter_match(state->net->ns.inum, 0, ntohs(th->dest)) &&
	    !before(ntohl(th->seq), tcp_sk(sk)->snd_nxt))
		tcphs_transition_birth(sk);
}

static __always_inline bool filter_drops(const struct nf_hook_state *state,
					 const struct tcphdr *th, bool out)
{
	return tcphs_filter_drops(state->net->ns.inum, tcphs_packet_sport(th, out),
				  tcphs_packet_dport(th, out));
}

/* From whatever is not a full socket. */
static __always_inline unsigned int special_out(PACKET, u8 was, bool inet6)
{
	mark |= TCPHS_SEG_OUT;
	if (was == TCP_NEW_SYN_RECV)
		return (inet6 ? request_out6 : request_out4)(mark, skb, state, th, len,
							     f);
	return (inet6 ? control_out6 : control_out4)(mark, skb, state, th, len, f);
}

static __always_inline unsigned int full_out(PACKET, bool signal,
					     const struct sock *sk, u8 was, bool inet6)
{
	mark |= TCPHS_SEG_OUT;
	if (unlikely(was == TCP_SYN_RECV && f & TCPHDR_SYN))
		return (inet6 ? child_out6 : child_out4)(mark, skb, state, th, len, f);
	if (is_retransmit(mark, skb, state, th, len, f, sk))
		mark |= TCPHS_SEG_RETRANSMIT;
	return sent_record(mark, skb, state, th, len, f, signal, sk, was, inet6);
}

/* SYN, FIN or RST. */
static __always_inline unsigned int signal_out(PACKET, bool inet6)
{
	const struct sock *sk = skb->sk;
	u8 was = state_of(sk);

	if (!is_full(sk, was))
		return special_out(mark, skb, state, th, len, f, was, inet6);
	return full_out(mark, skb, state, th, len, f, true, sk, was, inet6);
}

static __always_inline unsigned int data_out(PACKET, bool inet6)
{
	const struct sock *sk = skb->sk;
	u8 was = state_of(sk);

	if (!is_full(sk, was))
		return special_out(mark, skb, state, th, len, f, was, inet6);
	return full_out(mark, skb, state, th, len, f & TCPHDR_ACK, false, sk, was,
			inet6);
}

/* With a filter, a pure ACK that is wanted. */
static __always_inline unsigned int ack_filtered(PACKET, bool inet6)
{
	const struct sock *sk = skb->sk;
	u8 was = state_of(sk);

	if (filter_drops(state, th, true))
		return NF_ACCEPT;
	if (!is_full(sk, was))
		return special_out(mark, skb, state, th, 0, TCPHDR_ACK, was, inet6);
	return full_out(mark, skb, state, th, 0, TCPHDR_ACK, false, sk, was, inet6);
}

FAMILIES(ack_filtered)

static __always_inline unsigned int ack_out(PACKET, bool inet6)
{
	const struct sock *sk = skb->sk;
	u8 was = state_of(sk);

	if (tcphs_hint_expected(state->net, th))
		mark = TCPHS_SEG_ANSWER;
	if (is_full(sk, was)) {
		if (!ack_out_wanted(th, sk, was, &mark) && mode != TCPHS_SEGMENTS_ALL)
			return NF_ACCEPT;
		if (!tcphs_filter_on())
			return full_out(mark, skb, state, th, 0, TCPHDR_ACK, false, sk,
					was, inet6);
	} else if (!tcphs_filter_on()) {
		return special_out(mark, skb, state, th, 0, TCPHDR_ACK, was, inet6);
	}
	return (inet6 ? ack_filtered6 : ack_filtered4)(mark, skb, state, th, 0,
						       TCPHDR_ACK);
}

FAMILIES(signal_out)
FAMILIES(data_out)
FAMILIES(ack_out)

/* ----------------------------------------------------------------- LOCAL_IN */

/*
 * An incoming ACK has the numbers of the handshake's last one: no data before it,
 * and none acknowledged. It may come behind data that overtook it, or when this
 * end has sent some. (bytes_acked counts the SYN, unless the socket was born
 * after it.)
 */
static __always_inline bool ends_handshake(const struct tcphdr *th, const struct tcp_sock *tp)
{
	u32 first = READ_ONCE(tp->rcv_nxt) - (u32)tp->bytes_received;
	u32 sent = READ_ONCE(tp->snd_una) - (u32)tp->bytes_acked;

	return ntohl(th->seq) == first && ntohl(th->ack_seq) - sent <= 1;
}

/* Does a pure ACK that arrives for sk belong to more than data? Sets its mark. */
static __always_inline bool ack_in_wanted(const struct tcphdr *th,
					  const struct sock *sk, u8 was,
					  unsigned long *mark)
{
	const struct tcp_sock *tp;

	if (is_mini(was) || sk->sk_type != SOCK_STREAM)
		return true;
	tp = tcp_sk(sk);
	/* Exactly one below: what is older is an ACK that was overtaken. */
	if (ntohl(th->seq) == READ_ONCE(tp->rcv_nxt) - 1)
		*mark = TCPHS_SEG_PROBE;
	else if (inet_csk(sk)->icsk_probes_out)
		*mark = TCPHS_SEG_ANSWER;
	switch (was) {
	case TCP_ESTABLISHED:
		return *mark || !had_data(tp) || ends_handshake(th, tp);
	case TCP_CLOSE_WAIT:
		return *mark || !had_data(tp);
	case TCP_FIN_WAIT1:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return *mark || ntohl(th->ack_seq) == tp->write_seq;
	default:
		return true;
	}
}

/* Is it about to be dropped since nobody accepts what is there? */
static __always_inline u8 accept_full(const struct sock *sk, u8 was)
{
	if (was == TCP_NEW_SYN_RECV)
		sk = inet_reqsk(sk)->rsk_listener;
	else if (was != TCP_LISTEN)
		return 0;
	return sk && sk_acceptq_is_full(sk) ? TCPHS_SEG_ACCEPT_FULL : 0;
}

/*
 * An ACK arrives: is it more than data? On the loopback device the hint says
 * whether it was recorded as it left, as on others the socket. Data are, if the
 * handshake's last ACK rides in them: a request waits for it, or a listener gets
 * its SYN cookie back.
 */
static __always_inline bool ack_wanted(PACKET, const struct sock *sk, u8 was,
				       unsigned long *add)
{
	if (is_loopback(state->in)) {
		int arrived = tcphs_hint_arrived(skb);

		if (arrived >= 0) {
			*add |= arrived;
			return true;
		}
	}
	if (len)
		return was == TCP_NEW_SYN_RECV || was == TCP_LISTEN ||
		       (!sk && tcphs_hint_cookies());
	if (left_for_loopback(skb, state))
		return false;
	return !sk || was == TCP_LISTEN || ack_in_wanted(th, sk, was, add);
}

/* A mini-socket gets this. Return: the same if it is a FIN for which it waits. */
static __always_inline const struct sock *takes_fin(const struct sock *sk, u8 f)
{
	if (f & TCPHDR_FIN &&
	    READ_ONCE(inet_twsk(sk)->tw_substate) == TCP_FIN_WAIT2)
		return sk;
	return NULL;
}

/*
 * What arrives for sk, or for nobody known (NULL). A SYN or RST in a connection
 * is answered by a challenge ACK (RFC 5961), and a listener's SYN,ACK makes that
 * forgotten again.
 */
static __always_inline unsigned int known_in(PACKET, bool ack,
					     const struct sock *sk, bool inet6)
{
	u8 was = state_of(sk);

	if (f & (TCPHDR_SYN | TCPHDR_RST)) {
		if (was != TCP_LISTEN)
			tcphs_hint_expect(state->net, th);
	} else if (ack) {
		bool wanted = ack_wanted(mark, skb, state, th, len, f, sk, was, &mark);

		if (mark & TCPHS_SEG_PROBE)
			tcphs_hint_expect(state->net, th);
		if (!wanted && mode != TCPHS_SEGMENTS_ALL)
			return NF_ACCEPT;
	}
	if (sk) {
		/* What came before has had its answer, or gets none. */
		if (was == TCP_TIME_WAIT)
			this_cpu_write(fin_waiter, takes_fin(sk, f));
		mark |= accept_full(sk, was);
	}
	return segment_record(mark, skb, state, th, len, sk, was, inet6, false);
}

/*
 * Must its socket be looked for? Early demux has found it, except on the loopback
 * device, or there is none; there, hints save most lookups, but for what NAT has
 * turned there: also data, which a handshake's last ACK may ride in; and for what may
 * be a last ACK that a full accept queue has no room for.
 */
static __always_inline bool lookup_needed(PACKET, bool inet6)
{
	if (f & TCPHDR_RST)
		return false;
	if (f & TCPHDR_SYN)
		return !(f & TCPHDR_ACK) &&
		       !tcphs_hint_calm(state->net, inet6,
					tcphs_packet_local(skb, false, inet6),
					th->dest);
	if (f & TCPHDR_ACK && tcphs_hint_cookies())
		return true;
	if (f & TCPHDR_FIN)
		return tcphs_minisock_waiting();
	if (is_loopback(state->in))
		return is_translated(skb) ||
		       (tcphs_hint_crowded() && tcphs_hint_under_way());
	return !len;
}

/* For whom it is. A SYN is for a listener, and so is a SYN cookie. */
static __always_inline unsigned int looked_in(PACKET, bool inet6)
{
	struct devices devices = devices_of(skb, state, false, inet6);
	struct sock *held = packet_lookup(skb, state, th, devices, false, inet6);
	const struct sock *sk = held;

	if (!sk && (f & TCPHDR_SYN || tcphs_hint_cookies()))
		sk = tcphs_minisock_listener(state->net, inet6,
					     tcphs_packet_local(skb, false, inet6),
					     ntohs(th->dest),
					     tcphs_packet_remote(skb, false, inet6),
					     ntohs(th->source),
					     devices.dif, devices.sdif);
	known_in(mark, skb, state, th, len, f, is_ack(f), sk, inet6);
	if (held)
		sock_gen_put(held);
	return NF_ACCEPT;
}

FAMILIES(looked_in)

static __always_inline unsigned int packet_in(PACKET, bool ack,
					      bool inet6)
{
	const struct sock *sk = skb->sk;

	if (sk && sk_fullsock(sk) && sk->sk_type != SOCK_STREAM)
		sk = NULL;
	if (!sk && lookup_needed(mark, skb, state, th, len, f, inet6))
		return (inet6 ? looked_in6 : looked_in4)(mark, skb, state, th, len,
							 f);
	return known_in(mark, skb, state, th, len, f, ack, sk, inet6);
}

/* Each tells what is known of the flags, so that it is not asked for. */
static __always_inline unsigned int ack_in(PACKET, bool inet6)
{
	return packet_in(mark, skb, state, th, len, TCPHDR_ACK, true, inet6);
}

static __always_inline unsigned int syn_in(PACKET, bool inet6)
{
	return packet_in(mark, skb, state, th, len, f, false, inet6);
}

static __always_inline unsigned int fin_in(PACKET, bool inet6)
{
	return packet_in(mark, skb, state, th, len,
			 f & (TCPHDR_FIN | TCPHDR_ACK), false, inet6);
}

FAMILIES(ack_in)
FAMILIES(syn_in)
FAMILIES(fin_in)

/* --------------------------------------------------------------------- both */

/* A segment with no more than an ACK arrives: is it surely only data? */
static __always_inline bool is_data_in(PACKET)
{
	const struct sock *sk = skb->sk;

	if (sk)
		return len && sk->sk_state != TCP_NEW_SYN_RECV;
	if (tcphs_hint_under_way() || tcphs_hint_cookies())
		return false;
	return is_loopback(state->in) ? !is_translated(skb) : len;
}

/* What is not only data. A jump, whose arguments stay where they are. */
static __always_inline unsigned int packet_tell(PACKET, bool ack, bool out,
						bool inet6)
{
	if (ack && out)
		return (inet6 ? data_out6 : data_out4)(mark, skb, state, th, len, f);
	if (ack)
		return (inet6 ? ack_in6 : ack_in4)(mark, skb, state, th, len, f);
	if (out && f & CONTROL_BITS)
		return (inet6 ? signal_out6 : signal_out4)(mark, skb, state, th, len,
							   f);
	if (out)
		return (inet6 ? data_out6 : data_out4)(mark, skb, state, th, len, f);
	if (f & (TCPHDR_SYN | TCPHDR_RST))
		return (inet6 ? syn_in6 : syn_in4)(mark, skb, state, th, len, f);
	return (inet6 ? fin_in6 : fin_in4)(mark, skb, state, th, len, f);
}

static __always_inline unsigned int filtered_in(PACKET, bool inet6)
{
	if (filter_drops(state, th, false))
		return NF_ACCEPT;
	return packet_tell(mark, skb, state, th, len, f, is_ack(f), false, inet6);
}

static __always_inline unsigned int filtered_out(PACKET, bool inet6)
{
	if (filter_drops(state, th, true))
		return NF_ACCEPT;
	if (f & TCPHDR_SYN)
		birth_tell(state, th, skb->sk);
	return packet_tell(mark, skb, state, th, len, f, is_ack(f), true, inet6);
}

FAMILIES(filtered_in)
FAMILIES(filtered_out)

static __always_inline unsigned int packet_filtered(PACKET, bool out, bool inet6)
{
	if (out)
		return (inet6 ? filtered_out6 : filtered_out4)(mark, skb, state, th,
							       len, f);
	return (inet6 ? filtered_in6 : filtered_in4)(mark, skb, state, th, len, f);
}

/* Lets go what is only data, after a few instructions and without a stack. */
static __always_inline unsigned int packet(PACKET, bool out, bool inet6)
{
	if (!is_ack(f)) {
		if (tcphs_filter_on())
			return packet_filtered(mark, skb, state, th, len, f, out, inet6);
		return packet_tell(mark, skb, state, th, len, f, false, out, inet6);
	}
	if (out && !len)
		return (inet6 ? ack_out6 : ack_out4)(mark, skb, state, th, len, f);
	if ((out ? !data_out_wanted(skb) :
		   is_data_in(mark, skb, state, th, len, f)) &&
	    mode != TCPHS_SEGMENTS_ALL)
		return NF_ACCEPT;
	if (tcphs_filter_on())
		return packet_filtered(mark, skb, state, th, len, f, out, inet6);
	return packet_tell(mark, skb, state, th, len, f, true, out, inet6);
}

/* The header is not linear, or not all there, or has an impossible length. */
static noinline unsigned int packet_scattered(unsigned long mark,
					      const struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      unsigned int off, bool out,
					      bool inet6)
{
	u8 copy[TCPHS_PACKET_READABLE] __aligned(4) = {};
	const struct tcphdr *th = (const struct tcphdr *)copy;
	unsigned int all = skb->len - off;
	u32 len;

	if (skb->len < off + TCPHS_TCP_LEN ||
	    skb_copy_bits(skb, off, copy, min(all, TCPHS_PACKET_READABLE)))
		return NF_ACCEPT;
	/* A header longer than the segment is TCP's to refuse: no payload. */
	len = all - min(all, max(tcphs_packet_doff(th), TCPHS_TCP_LEN));
	return packet(mark, skb, state, th, len, tcphs_packet_flags(th), out, inet6);
}

/*
 * The TCP header begins at off: in the linear part, or so shortly behind that its
 * bytes can be read, whatever they are.
 */
static __always_inline unsigned int hook(unsigned long mark,
					 const struct sk_buff *skb,
					 const struct nf_hook_state *state,
					 u32 off, bool out, bool inet6)
{
	const struct tcphdr *th = (const struct tcphdr *)(skb->data + off);
	u32 doff = tcphs_packet_doff(th);
	int len = skb->len - off - doff;

	/* What is not linear must be payload. */
	if (unlikely(len < (int)skb->data_len || doff < TCPHS_TCP_LEN))
		return packet_scattered(mark, skb, state, off, out, inet6);
	return packet(mark, skb, state, th, len, tcphs_packet_flags(th), out, inet6);
}

/* Behind options of IPv4 or before IPv6's headers, which few have. */
static noinline unsigned int hook_far(unsigned long mark,
				      const struct sk_buff *skb,
				      const struct nf_hook_state *state, bool out,
				      bool inet6)
{
	u32 off;

	if (!(inet6 ? tcphs_packet_find6(skb, &off, out) :
		      tcphs_packet_find4(skb, &off)))
		return NF_ACCEPT;
	if (skb_headlen(skb) < off + TCPHS_TCP_LEN)
		return packet_scattered(mark, skb, state, off, out, inet6);
	return hook(mark, skb, state, off, out, inet6);
}

/*
 * What leaves through a VRF passes here twice: with the VRF as its device, or on its
 * way to that (if the VRF has a queue), and with the one below. The second time
 * counts; but there is none for what stays here.
 */
static noinline bool passes_again(const struct sk_buff *skb,
				  const struct net_device *out, bool inet6)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (!dst || !(netif_is_l3_master(out) || netif_is_l3_master(dst->dev)))
		return false;
	if (inet6)
		return !(container_of(dst, struct rt6_info, dst)->rt6i_flags &
			 RTF_LOCAL);
	return !(container_of(dst, struct rtable, dst)->rt_flags & RTCF_LOCAL);
}

/*
 * Passes here though no socket sends it now: IPVS, ipvlan and the copies of nft's dup
 * have it leave once more, or leave what came from elsewhere. What TCP sends without
 * a socket (a SYN cookie, a RST), and nft's reject, has no device yet, but for a VRF.
 * IPsec has it leave anew behind each transform, of which some leave TCP as it is:
 * IPComp what is short, and ESP and AH what the network card is to encrypt.
 */
static __always_inline bool is_passed_on(const struct sk_buff *skb,
					 const struct nf_hook_state *state, bool inet6)
{
	if (unlikely(inet6 ? IP6CB(skb)->flags & IP6SKB_XFRM_TRANSFORMED :
			     IPCB(skb)->flags & IPSKB_XFRM_TRANSFORMED))
		return true;
#if IS_ENABLED(CONFIG_IP_VS)
	if (unlikely(skb->ipvs_property))
		return true;
#endif
	if (!skb->sk)
		return tcphs_compat_is_copy() ||
		       (skb->dev && !netif_is_l3_master(skb->dev));
	/* TCP says for which socket it sends. */
	return unlikely(!state->sk || sock_net(skb->sk) != state->net);
}

static __always_inline unsigned int hook4(void *priv, const struct sk_buff *skb,
					  const struct nf_hook_state *state,
					  bool out)
{
	unsigned long mark = (unsigned long)priv;

	if (!tcphs_packet_is_plain4(skb))
		return tcphs_packet_is_tcp4(skb) ?
		       hook_far(mark, skb, state, out, false) : NF_ACCEPT;
	return hook(mark, skb, state, sizeof(struct iphdr), out, false);
}

static __always_inline unsigned int hook6(void *priv, const struct sk_buff *skb,
					  const struct nf_hook_state *state,
					  bool out)
{
	unsigned long mark = (unsigned long)priv;

	if (!tcphs_packet_is_plain6(skb))
		return hook_far(mark, skb, state, out, true);
	return hook(mark, skb, state, sizeof(struct ipv6hdr), out, true);
}

/* May it be on its way through a VRF? */
static __always_inline bool is_for_vrf(const struct nf_hook_state *state)
{
	const struct net_device *out = state->out;

	return out && unlikely(netif_is_l3_master(out) || netif_is_l3_slave(out));
}

/* Not inline, as above: who passes by needs no stack. */
static noinline unsigned int vrf_out(void *priv, const struct sk_buff *skb,
				     const struct nf_hook_state *state, bool inet6)
{
	if (passes_again(skb, state->out, inet6))
		return NF_ACCEPT;
	return inet6 ? hook6(priv, skb, state, true) : hook4(priv, skb, state, true);
}

/* An ipvlan of mode l3s takes what comes in its master's netns. */
static __always_inline bool is_for_ipvlan(const struct nf_hook_state *state)
{
	return unlikely(netif_has_l3_rx_handler(state->in));
}

/* The route says in which netns it is received. */
static noinline unsigned int ipvlan_in(void *priv, const struct sk_buff *skb,
				       const struct nf_hook_state *state, bool inet6)
{
	const struct dst_entry *dst = skb_dst(skb);
	struct nf_hook_state own = *state;

	if (dst)
		own.net = dev_net(dst->dev);
	return inet6 ? hook6(priv, skb, &own, false) : hook4(priv, skb, &own, false);
}

static __always_inline unsigned int hook_in(void *priv, const struct sk_buff *skb,
					    const struct nf_hook_state *state, bool inet6)
{
	if (is_for_ipvlan(state))
		return ipvlan_in(priv, skb, state, inet6);
	return inet6 ? hook6(priv, skb, state, false) : hook4(priv, skb, state, false);
}

static __always_inline unsigned int hook_out(void *priv, const struct sk_buff *skb,
					     const struct nf_hook_state *state, bool inet6)
{
	if (is_passed_on(skb, state, inet6))
		return NF_ACCEPT;
	if (is_for_vrf(state))
		return vrf_out(priv, skb, state, inet6);
	return inet6 ? hook6(priv, skb, state, true) : hook4(priv, skb, state, true);
}

static notrace unsigned int hook_in4(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	return hook_in(priv, skb, state, false);
}

static notrace unsigned int hook_out4(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	return hook_out(priv, skb, state, false);
}

static notrace unsigned int hook_in6(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	return hook_in(priv, skb, state, true);
}

static notrace unsigned int hook_out6(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	return hook_out(priv, skb, state, true);
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
