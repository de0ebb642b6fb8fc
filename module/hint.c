// SPDX-License-Identifier: GPL-2.0
/*
 * What one event tells of a segment that follows: small tables shared by all
 * CPUs, read and written without a lock. See hint.h.
 */
#include <linux/hash.h>
#include <linux/jiffies.h>

#include "hint.h"

unsigned long tcphs_hint_loopback_entries[1 << TCPHS_HINT_LOOPBACK_BITS];

/* How many entries are taken: with none, an ACK costs one look at this. */
atomic_t tcphs_hint_loopback_acks = ATOMIC_INIT(0);

/**
 * tcphs_hint_loopback_find() - an entry of a set
 * @set: where it begins
 * @skb: whose entry; 0 for one that is free
 * @unused: see tcphs_compat_rare(), which passes three
 *
 * Return: where it is, or the last one.
 */
u64 tcphs_hint_loopback_find(u64 set, u64 skb, u64 unused)
{
	const unsigned long *entry = (const unsigned long *)set;
	int i;

	for (i = 0; i < TCPHS_HINT_LOOPBACK_WAYS - 1; i++, entry++)
		if ((READ_ONCE(*entry) & ~3UL) == skb)
			break;
	return (unsigned long)entry;
}

u64 tcphs_hint_answers[1 << TCPHS_HINT_ANSWERS_BITS];
unsigned long tcphs_hint_answers_until = INITIAL_JIFFIES;

/* When a SYN cookie was sent last, in jiffies; 0 never. */
unsigned long tcphs_hint_cookie_sent;

/* When a listener had no room for all its requests last, in jiffies; 0 never. */
unsigned long tcphs_hint_crowd_seen;

u64 tcphs_hint_listeners[1 << TCPHS_HINT_LISTENERS_BITS];
