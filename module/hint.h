/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hints: what one event tells of a segment that follows. They decide whether a
 * pure ACK is recorded and how it is marked, and where a look at a socket can be
 * saved; a wrong one costs or adds a record and never makes a wrong number.
 * Context of all: of the netfilter hooks.
 */
#ifndef _TCPHS_HINT_H
#define _TCPHS_HINT_H

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <net/tcp.h>
#include <tcphs.h>

extern atomic_t tcphs_hint_loopback_acks;
extern unsigned long tcphs_hint_answers_until;

void tcphs_hint_loopback(const struct sk_buff *skb, u8 mark);
bool tcphs_hint_loopback_take(const struct sk_buff *skb, u8 *mark);

/** tcphs_hint_under_way() - may there be an ACK that tcphs_hint_loopback() saw? */
static __always_inline bool tcphs_hint_under_way(void)
{
	return atomic_read(&tcphs_hint_loopback_acks);
}

/**
 * tcphs_hint_arrived() - is this ACK one that tcphs_hint_loopback() saw?
 * @skb: that came from the loopback device
 * @mark: gets that one's mark
 */
static __always_inline bool tcphs_hint_arrived(const struct sk_buff *skb, u8 *mark)
{
	return tcphs_hint_under_way() && tcphs_hint_loopback_take(skb, mark);
}

void tcphs_hint_expect(const struct net *net, const struct tcphdr *th);
void tcphs_hint_forget(const struct net *net, const struct tcphdr *th);
bool tcphs_hint_answer_take(const struct net *net, const struct tcphdr *th);

/** tcphs_hint_expected() - is th, which leaves, an answer that is expected? */
static __always_inline bool tcphs_hint_expected(const struct net *net,
						const struct tcphdr *th)
{
	return time_before(jiffies, READ_ONCE(tcphs_hint_answers_until)) &&
	       tcphs_hint_answer_take(net, th);
}

extern unsigned long tcphs_hint_cookie_sent;

/** tcphs_hint_cookie() - a SYN,ACK leaves whose number is a SYN cookie */
static inline void tcphs_hint_cookie(void)
{
	WRITE_ONCE(tcphs_hint_cookie_sent, jiffies ?: 1);
}

/** tcphs_hint_cookies() - may an ACK without a socket bring a cookie back? */
static __always_inline bool tcphs_hint_cookies(void)
{
	unsigned long sent = READ_ONCE(tcphs_hint_cookie_sent);

	return unlikely(sent) && time_before(jiffies, sent + TCP_SYNCOOKIE_VALID);
}

void tcphs_hint_listener(const struct net *net, bool inet6, const void *addr,
			 u16 port, bool calm);
bool tcphs_hint_calm(const struct net *net, bool inet6, const void *addr,
		     u16 port);

#endif /* _TCPHS_HINT_H */
