// SPDX-License-Identifier: GPL-2.0
/*
 * What one segment tells of another that follows: two small tables shared by
 * all CPUs, read and written without a lock. See hint.h.
 */
#include <linux/hash.h>
#include <net/net_namespace.h>

#include "hint.h"

/*
 * Pure ACKs that were recorded on their way out to the loopback device. They
 * arrive as the same skb, without the socket that early demux finds on other
 * devices, and a lookup for each would cost more than the whole hook. The low
 * bits of an entry are the packet's mark. Entries are hints: a stale one (its
 * skb was dropped) can only make one segment more be recorded.
 */
#define LOOPBACK_BITS	10
#define LOOPBACK_WAYS	8
#define LOOPBACK_MARK	(TCPHS_SEG_PROBE | TCPHS_SEG_ANSWER)
#define LOOPBACK_SHIFT	6	/* of the mark's two bits */

static_assert(LOOPBACK_MARK >> LOOPBACK_SHIFT == 3);

static unsigned long loopback_acks[1 << LOOPBACK_BITS];

static unsigned long *loopback_set(const struct sk_buff *skb)
{
	return &loopback_acks[hash_ptr(skb, LOOPBACK_BITS) &
			      ~(LOOPBACK_WAYS - 1)];
}

/**
 * tcphs_hint_loopback() - a recorded pure ACK leaves to the loopback device
 * @p: with its mark
 */
void tcphs_hint_loopback(const struct tcphs_packet *p)
{
	unsigned long *set = loopback_set(p->skb);
	int i;

	for (i = 0; i < LOOPBACK_WAYS - 1; i++)
		if (!READ_ONCE(set[i]))
			break;
	WRITE_ONCE(set[i], (unsigned long)p->skb | p->mark >> LOOPBACK_SHIFT);
}

/**
 * tcphs_hint_arrived() - is this pure ACK one that tcphs_hint_loopback() saw?
 * @p: gets that one's mark
 */
bool tcphs_hint_arrived(struct tcphs_packet *p)
{
	unsigned long *set = loopback_set(p->skb);
	unsigned long entry;
	int i;

	for (i = 0; i < LOOPBACK_WAYS; i++) {
		entry = READ_ONCE(set[i]);
		if ((entry & ~3UL) == (unsigned long)p->skb) {
			WRITE_ONCE(set[i], 0);
			p->mark |= (entry & 3) << LOOPBACK_SHIFT;
			return true;
		}
	}
	return false;
}

/*
 * Segments that call for an answer: a keep-alive probe, a SYN or RST to be
 * challenged. The answer is a pure ACK like any other and leaves in the same
 * softirq, or later if a process has the socket. Hints, too: entries that share
 * a place, or an answer that never comes, cost or add a record, never make a
 * wrong one.
 */
#define ANSWERS_BITS	8

static u64 answers[1 << ANSWERS_BITS];

/* Never 0: no port is. */
static u64 answer_key(const struct net *net, __be16 local, __be16 remote)
{
	return (u64)net->ns.inum << 32 | (__force u32)local << 16 |
	       (__force u16)remote;
}

/* A segment came that calls for an answer. */
void tcphs_hint_expect(const struct tcphs_packet *p)
{
	u64 key = answer_key(p->state->net, p->th->dest, p->th->source);

	WRITE_ONCE(answers[hash_64(key, ANSWERS_BITS)], key);
}

/* Return: whether p, which leaves, is such an answer. */
bool tcphs_hint_expected(const struct tcphs_packet *p)
{
	u64 key = answer_key(p->state->net, p->th->source, p->th->dest);
	u64 *entry = &answers[hash_64(key, ANSWERS_BITS)];

	if (READ_ONCE(*entry) != key)
		return false;
	WRITE_ONCE(*entry, 0);
	return true;
}

/* When a SYN cookie was sent last, in jiffies; 0 never. */
static unsigned long cookie_sent;

/* A SYN,ACK leaves whose number is a SYN cookie. */
void tcphs_hint_cookie(void)
{
	WRITE_ONCE(cookie_sent, jiffies ?: 1);
}

/* Return: whether an ACK without a socket may bring a cookie back. */
bool tcphs_hint_cookies(void)
{
	unsigned long sent = READ_ONCE(cookie_sent);

	return sent && time_before(jiffies, sent + TCP_SYNCOOKIE_VALID);
}
