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
#include <linux/bitops.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <net/tcp.h>
#include <tcphs.h>

#include "compat.h"

/*
 * ACKs that were recorded on their way out to the loopback device: pure ones, and
 * data in which the handshake's last one rides. They arrive as the same skb,
 * without the socket that early demux finds on other devices, and a lookup for each
 * would cost more than the whole hook. The low bits of an entry are the packet's
 * mark. A stale one (its skb was dropped) can only make one segment more be
 * recorded.
 */
#define TCPHS_HINT_LOOPBACK_BITS	10
#define TCPHS_HINT_LOOPBACK_WAYS	8
#define TCPHS_HINT_LOOPBACK_MARK	(TCPHS_SEG_PROBE | TCPHS_SEG_ANSWER)
#define TCPHS_HINT_LOOPBACK_SHIFT	6	/* of the mark's two bits */

static_assert(TCPHS_HINT_LOOPBACK_MARK >> TCPHS_HINT_LOOPBACK_SHIFT == 3);

extern unsigned long tcphs_hint_loopback_entries[1 << TCPHS_HINT_LOOPBACK_BITS];
extern atomic_t tcphs_hint_loopback_acks;

u64 TCPHS_RARE tcphs_hint_loopback_find(u64 set, u64 skb, u64 unused);

static __always_inline unsigned long *tcphs_hint_loopback_set(const struct sk_buff *skb)
{
	return &tcphs_hint_loopback_entries[hash_ptr(skb, TCPHS_HINT_LOOPBACK_BITS) &
					    ~(TCPHS_HINT_LOOPBACK_WAYS - 1)];
}

/**
 * tcphs_hint_loopback() - a recorded ACK leaves to the loopback device
 * @skb: the packet
 * @mark: TCPHS_SEG_PROBE, _ANSWER or none
 */
static __always_inline void tcphs_hint_loopback(const struct sk_buff *skb,
						unsigned long mark)
{
	unsigned long entry = (unsigned long)skb |
			      (mark & TCPHS_HINT_LOOPBACK_MARK) >>
			      TCPHS_HINT_LOOPBACK_SHIFT;
	unsigned long *set = tcphs_hint_loopback_set(skb);

	/* Mostly there is none in the set. */
	if (unlikely(READ_ONCE(*set)))
		set = (unsigned long *)tcphs_compat_rare(tcphs_hint_loopback_find, set,
							 0, 0);
	if (!xchg(set, entry))
		atomic_inc(&tcphs_hint_loopback_acks);
}

/** tcphs_hint_under_way() - may there be an ACK that tcphs_hint_loopback() saw? */
static __always_inline bool tcphs_hint_under_way(void)
{
	return atomic_read(&tcphs_hint_loopback_acks);
}

/**
 * tcphs_hint_arrived() - is this ACK one that tcphs_hint_loopback() saw?
 * @skb: that came from the loopback device
 *
 * Return: that one's mark; -1 if it is none.
 */
static __always_inline int tcphs_hint_arrived(const struct sk_buff *skb)
{
	unsigned long *set, entry;

	if (!tcphs_hint_under_way())
		return -1;
	set = tcphs_hint_loopback_set(skb);
	entry = READ_ONCE(*set);
	if (unlikely((entry & ~3UL) != (unsigned long)skb)) {
		set = (unsigned long *)tcphs_compat_rare(tcphs_hint_loopback_find, set,
							 skb, 0);
		entry = READ_ONCE(*set);
		if ((entry & ~3UL) != (unsigned long)skb)
			return -1;
	}
	if (cmpxchg(set, entry, 0) == entry)
		atomic_dec(&tcphs_hint_loopback_acks);
	return (entry & 3) << TCPHS_HINT_LOOPBACK_SHIFT;
}

/*
 * Segments that call for an answer: a keep-alive probe, a SYN or RST to be
 * challenged. The answer is a pure ACK like any other and leaves in the same
 * softirq, or later if a process has the socket. Entries that share a place, or
 * an answer that never comes, cost or add a record.
 */
#define TCPHS_HINT_ANSWERS_BITS		8
#define TCPHS_HINT_ANSWERS_WINDOW	(5 * HZ)

extern u64 tcphs_hint_answers[1 << TCPHS_HINT_ANSWERS_BITS];
extern unsigned long tcphs_hint_answers_until;

/*
 * Of a connection, whichever end sent th: what leaves has the ports the other way
 * round. Never 0: no netns is.
 */
static __always_inline u64 tcphs_hint_answer_key(const struct net *net,
						 const struct tcphdr *th, bool out)
{
	u32 ports = *(const u32 *)th;

	return (u64)net->ns.inum << 32 | (out ? rol32(ports, 16) : ports);
}

static __always_inline u64 *tcphs_hint_answer(u64 key)
{
	return &tcphs_hint_answers[hash_64(key, TCPHS_HINT_ANSWERS_BITS)];
}

/** tcphs_hint_expect() - th came and calls for an answer */
static __always_inline void tcphs_hint_expect(const struct net *net,
					      const struct tcphdr *th)
{
	u64 key = tcphs_hint_answer_key(net, th, false);

	WRITE_ONCE(*tcphs_hint_answer(key), key);
	WRITE_ONCE(tcphs_hint_answers_until, jiffies + TCPHS_HINT_ANSWERS_WINDOW);
}

static __always_inline bool tcphs_hint_answer_take(const struct net *net,
						   const struct tcphdr *th)
{
	u64 key = tcphs_hint_answer_key(net, th, true);
	u64 *entry = tcphs_hint_answer(key);

	if (READ_ONCE(*entry) != key)
		return false;
	WRITE_ONCE(*entry, 0);
	return true;
}

/** tcphs_hint_forget() - th, which leaves, is another answer */
static __always_inline void tcphs_hint_forget(const struct net *net,
					      const struct tcphdr *th)
{
	tcphs_hint_answer_take(net, th);
}

/** tcphs_hint_expected() - is th, which leaves, an answer that is expected? */
static __always_inline bool tcphs_hint_expected(const struct net *net,
						const struct tcphdr *th)
{
	/* Not jiffies itself: time_before() makes a volatile copy of its type. */
	unsigned long now = jiffies;

	return time_before(now, READ_ONCE(tcphs_hint_answers_until)) &&
	       tcphs_hint_answer_take(net, th);
}

/* Has it been in the last `window` jiffies? A time in jiffies; 0 never. */
static __always_inline bool tcphs_hint_recent(const unsigned long *at,
					      unsigned long window)
{
	unsigned long was = READ_ONCE(*at), now;

	if (likely(!was))
		return false;
	now = jiffies;
	return time_before(now, was + window);
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
	return tcphs_hint_recent(&tcphs_hint_cookie_sent, TCP_SYNCOOKIE_VALID);
}

/*
 * A request's last ACK is dropped where the accept queue is full: of children that were
 * requests before. As the last of all these requests came, its listener had no room for
 * them together. A request waits for a minute, or as long as tcp_synack_retries say.
 */
#define TCPHS_HINT_CROWD_WINDOW		(120 * HZ)

extern unsigned long tcphs_hint_crowd_seen;

/** tcphs_hint_crowd() - a listener that has no room for all its requests gets one */
static inline void tcphs_hint_crowd(void)
{
	WRITE_ONCE(tcphs_hint_crowd_seen, jiffies ?: 1);
}

/** tcphs_hint_crowded() - may a request's last ACK meet a full queue? */
static __always_inline bool tcphs_hint_crowded(void)
{
	return tcphs_hint_recent(&tcphs_hint_crowd_seen, TCPHS_HINT_CROWD_WINDOW);
}

/*
 * Listeners whose queues were far from full when they last answered a SYN. A
 * child can only come to the accept queue after its request did, so the next SYN
 * cannot be dropped for want of room, and there is no need to look for the
 * listener. An entry holds for a second at the most: a listener may get another
 * backlog.
 */
#define TCPHS_HINT_LISTENERS_BITS	7

extern u64 tcphs_hint_listeners[1 << TCPHS_HINT_LISTENERS_BITS];

/* Half an address, wherever it stands. */
static __always_inline u64 tcphs_hint_half(const void *addr, int half)
{
	u64 value;

	memcpy(&value, addr + half * sizeof(value), sizeof(value));
	return value;
}

/* Two listeners of one machine have different keys, but for a chance of 2^-64. */
static __always_inline u64 tcphs_hint_listener_key(const struct net *net,
						   bool inet6, const void *addr,
						   __be16 port)
{
	unsigned long ticks = jiffies;
	u16 now = ticks >> ilog2(HZ);
	u64 key = (u64)net->ns.inum << 32 | (u32)(__force u16)port << 16 | now;

	if (!inet6)
		return key ^ *(const u32 *)addr * GOLDEN_RATIO_64;
	key ^= tcphs_hint_half(addr, 0) * GOLDEN_RATIO_64;
	return key * GOLDEN_RATIO_64 ^ tcphs_hint_half(addr, 1);
}

/**
 * tcphs_hint_listener() - a listener answers a SYN
 * @net: its network namespace
 * @inet6: IPv6, else IPv4
 * @addr: to which the SYN was sent
 * @port: and the port
 * @calm: its queues have room
 */
static __always_inline void tcphs_hint_listener(const struct net *net, bool inet6,
						const void *addr, __be16 port,
						bool calm)
{
	u64 key = tcphs_hint_listener_key(net, inet6, addr, port);
	u64 *entry = &tcphs_hint_listeners[hash_64(key, TCPHS_HINT_LISTENERS_BITS)];

	if (calm) {
		if (READ_ONCE(*entry) != key)
			WRITE_ONCE(*entry, key);
	} else if (READ_ONCE(*entry) == key) {
		WRITE_ONCE(*entry, 0);
	}
}

/** tcphs_hint_calm() - did tcphs_hint_listener() just say so? */
static __always_inline bool tcphs_hint_calm(const struct net *net, bool inet6,
					    const void *addr, __be16 port)
{
	u64 key = tcphs_hint_listener_key(net, inet6, addr, port);

	return READ_ONCE(tcphs_hint_listeners[hash_64(key,
			 TCPHS_HINT_LISTENERS_BITS)]) == key;
}

#endif /* _TCPHS_HINT_H */
