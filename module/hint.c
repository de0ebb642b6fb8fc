// SPDX-License-Identifier: GPL-2.0
/*
 * What one event tells of a segment that follows: small tables shared by all
 * CPUs, read and written without a lock. See hint.h.
 */
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/string.h>
#include <net/net_namespace.h>

#include "hint.h"

/*
 * ACKs that were recorded on their way out to the loopback device: pure ones, and
 * data in which the handshake's last one rides. They arrive as the same skb, without the socket that early demux finds on other
 * devices, and a lookup for each would cost more than the whole hook. The low
 * bits of an entry are the packet's mark. A stale one (its skb was dropped) can
 * only make one segment more be recorded.
 */
#define LOOPBACK_BITS	10
#define LOOPBACK_WAYS	8
#define LOOPBACK_MARK	(TCPHS_SEG_PROBE | TCPHS_SEG_ANSWER)
#define LOOPBACK_SHIFT	6	/* of the mark's two bits */

static_assert(LOOPBACK_MARK >> LOOPBACK_SHIFT == 3);

static unsigned long loopback_acks[1 << LOOPBACK_BITS];

/* How many entries are taken: with none, an ACK costs one look at this. */
atomic_t tcphs_hint_loopback_acks = ATOMIC_INIT(0);

static unsigned long *loopback_set(const struct sk_buff *skb)
{
	return &loopback_acks[hash_ptr(skb, LOOPBACK_BITS) &
			      ~(LOOPBACK_WAYS - 1)];
}

/**
 * tcphs_hint_loopback() - a recorded ACK leaves to the loopback device
 * @skb: the packet
 * @mark: TCPHS_SEG_PROBE, _ANSWER or none
 */
void tcphs_hint_loopback(const struct sk_buff *skb, u8 mark)
{
	unsigned long entry = (unsigned long)skb |
			      (mark & LOOPBACK_MARK) >> LOOPBACK_SHIFT;
	unsigned long *set = loopback_set(skb);
	int i;

	for (i = 0; i < LOOPBACK_WAYS - 1; i++)
		if (!READ_ONCE(set[i]))
			break;
	if (!xchg(&set[i], entry))
		atomic_inc(&tcphs_hint_loopback_acks);
}

bool tcphs_hint_loopback_take(const struct sk_buff *skb, u8 *mark)
{
	unsigned long *set = loopback_set(skb);
	unsigned long entry;
	int i;

	for (i = 0; i < LOOPBACK_WAYS; i++) {
		entry = READ_ONCE(set[i]);
		if ((entry & ~3UL) != (unsigned long)skb)
			continue;
		if (cmpxchg(&set[i], entry, 0) == entry)
			atomic_dec(&tcphs_hint_loopback_acks);
		*mark |= (entry & 3) << LOOPBACK_SHIFT;
		return true;
	}
	return false;
}

/*
 * Segments that call for an answer: a keep-alive probe, a SYN or RST to be
 * challenged. The answer is a pure ACK like any other and leaves in the same
 * softirq, or later if a process has the socket. Entries that share a place, or
 * an answer that never comes, cost or add a record.
 */
#define ANSWERS_BITS	8
#define ANSWERS_WINDOW	(5 * HZ)

static u64 answers[1 << ANSWERS_BITS];
unsigned long tcphs_hint_answers_until = INITIAL_JIFFIES;

/* Never 0: no port is. */
static u64 answer_key(const struct net *net, __be16 local, __be16 remote)
{
	return (u64)net->ns.inum << 32 | (__force u32)local << 16 |
	       (__force u16)remote;
}

/** tcphs_hint_expect() - th came and calls for an answer */
void tcphs_hint_expect(const struct net *net, const struct tcphdr *th)
{
	u64 key = answer_key(net, th->dest, th->source);

	WRITE_ONCE(answers[hash_64(key, ANSWERS_BITS)], key);
	WRITE_ONCE(tcphs_hint_answers_until, jiffies + ANSWERS_WINDOW);
}

bool tcphs_hint_answer_take(const struct net *net, const struct tcphdr *th)
{
	u64 key = answer_key(net, th->source, th->dest);
	u64 *entry = &answers[hash_64(key, ANSWERS_BITS)];

	if (READ_ONCE(*entry) != key)
		return false;
	WRITE_ONCE(*entry, 0);
	return true;
}

/** tcphs_hint_forget() - th, which leaves, is another answer */
void tcphs_hint_forget(const struct net *net, const struct tcphdr *th)
{
	tcphs_hint_answer_take(net, th);
}

/* When a SYN cookie was sent last, in jiffies; 0 never. */
unsigned long tcphs_hint_cookie_sent;

/*
 * Listeners whose queues were far from full when they last answered a SYN. A
 * child can only come to the accept queue after its request did, so the next SYN
 * cannot be dropped for want of room, and there is no need to look for the
 * listener. An entry holds for a second at the most: a listener may get another
 * backlog.
 */
#define LISTENERS_BITS	7

static u64 listeners[1 << LISTENERS_BITS];

/* Half an address, wherever it stands. */
static u64 half_of(const void *addr, int half)
{
	u64 value;

	memcpy(&value, addr + half * sizeof(value), sizeof(value));
	return value;
}

/* Two listeners of one machine have different keys, but for a chance of 2^-64. */
static u64 listener_key(const struct net *net, bool inet6, const void *addr,
			u16 port)
{
	u64 key = (u64)net->ns.inum << 32 | (u32)port << 16 |
		  (u16)(jiffies / HZ);

	u32 addr4;

	if (!inet6) {
		memcpy(&addr4, addr, sizeof(addr4));
		return key ^ addr4 * GOLDEN_RATIO_64;
	}
	key ^= half_of(addr, 0) * GOLDEN_RATIO_64;
	return key * GOLDEN_RATIO_64 ^ half_of(addr, 1);
}

/**
 * tcphs_hint_listener() - a listener answers a SYN
 * @net: its network namespace
 * @inet6: IPv6, else IPv4
 * @addr: to which the SYN was sent
 * @port: host byte order
 * @calm: its queues have room
 */
void tcphs_hint_listener(const struct net *net, bool inet6, const void *addr,
			 u16 port, bool calm)
{
	u64 key = listener_key(net, inet6, addr, port);
	u64 *entry = &listeners[hash_64(key, LISTENERS_BITS)];

	if (calm) {
		if (READ_ONCE(*entry) != key)
			WRITE_ONCE(*entry, key);
	} else if (READ_ONCE(*entry) == key) {
		WRITE_ONCE(*entry, 0);
	}
}

/** tcphs_hint_calm() - did tcphs_hint_listener() just say so? */
bool tcphs_hint_calm(const struct net *net, bool inet6, const void *addr,
		     u16 port)
{
	u64 key = listener_key(net, inet6, addr, port);

	return READ_ONCE(listeners[hash_64(key, LISTENERS_BITS)]) == key;
}
