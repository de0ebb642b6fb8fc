// SPDX-License-Identifier: GPL-2.0
/*
 * What one event tells of a segment that follows: small tables shared by all
 * CPUs, read and written without a lock. See hint.h.
 */
#include <linux/hash.h>
#include <linux/jiffies.h>

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

/* See tcphs_hint_arrived(). */
int tcphs_hint_loopback_take(const struct sk_buff *skb)
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
		return (entry & 3) << LOOPBACK_SHIFT;
	}
	return -1;
}

u64 tcphs_hint_answers[1 << TCPHS_HINT_ANSWERS_BITS];
unsigned long tcphs_hint_answers_until = INITIAL_JIFFIES;

/* When a SYN cookie was sent last, in jiffies; 0 never. */
unsigned long tcphs_hint_cookie_sent;

u64 tcphs_hint_listeners[1 << TCPHS_HINT_LISTENERS_BITS];
