/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From what a writer left in a slot to a record that may leave the kernel: see
 * record.h. Everything that the record's bits do not vouch for becomes zero: no
 * address of the kernel, payload or older record gets out.
 *
 * A record is copied once, from its slot to the reader's own buffer, and becomes
 * what it is to be on the way, in registers: where it was copied first, sealed, and
 * copied again, the second copy was most of what a reader cost the kernel. Whatever
 * was read of a slot goes on only when the slot is known not to have been
 * overwritten by then: the bits of one record do not vouch for the bytes of another.
 *
 * Always in place: between user_access_begin() and user_access_end() nothing may be
 * called.
 */
#ifndef _TCPHS_SEAL_H
#define _TCPHS_SEAL_H

#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/swab.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <asm/byteorder.h>

#include "name.h"
#include "record.h"

#ifndef __LITTLE_ENDIAN
#error "Here words are taken apart in the order of little-endian machines."
#endif

enum tcphs_seal {
	TCPHS_SEAL_DONE,
	TCPHS_SEAL_OVERTAKEN,	/* the slot was overwritten meanwhile */
	TCPHS_SEAL_NAMELESS,	/* a socket's name must be made first */
	TCPHS_SEAL_FAULT,	/* the reader's buffer is not there */
};

/* Record n of a CPU, in its slot. */
struct tcphs_seal_slot {
	const u64 *word;
	const u64 *reserved;	/* of the ring: the slot is another's when ... */
	u64 slots;		/* ... that is so far ahead of n */
	u64 n;
	u64 ts;
	unsigned int cpu;
};

#define TCPHS_SEAL_WORDS	(TCPHS_RECORD_SIZE / sizeof(u64))

/* Where what is taken apart below stands, as words. */
static_assert(offsetof(struct tcphs_record, sock) == 2 * 8);
static_assert(offsetof(struct tcphs_record, netns) == 3 * 8);
static_assert(offsetof(struct tcphs_record, cpu) == 3 * 8 + 4);
static_assert(offsetof(struct tcphs_record, kind) == 3 * 8 + 6);
static_assert(offsetof(struct tcphs_record, flags) == 3 * 8 + 7);
static_assert(offsetof(struct tcphs_record, saddr) == 4 * 8);
static_assert(offsetof(struct tcphs_record, daddr) == 6 * 8);
static_assert(offsetof(struct tcphs_record, sport) == 8 * 8);
static_assert(offsetof(struct tcphs_record, transition.has) == 8 * 8 + 7);
static_assert(offsetof(struct tcphs_record, transition.nr) == 9 * 8);
static_assert(offsetof(struct tcphs_record, transition.pid) == 12 * 8);
static_assert(offsetof(struct tcphs_record, transition.comm) == 13 * 8);
static_assert(offsetof(struct tcphs_record, transition.queues.listener) == 13 * 8);
static_assert(offsetof(struct tcphs_record, transition.error) == 15 * 8);
static_assert(offsetof(struct tcphs_record, transition.old) == 8 * 8 + 4);
static_assert(offsetof(struct tcphs_record, transition.new) == 8 * 8 + 5);
static_assert(offsetof(struct tcphs_record, transition.via) == 8 * 8 + 6);
static_assert(offsetof(struct tcphs_record, reset.has) == 8 * 8 + 7);
static_assert(offsetof(struct tcphs_record, reset.nr) == 10 * 8);
static_assert(offsetof(struct tcphs_record, reset.pid) == 13 * 8);
static_assert(offsetof(struct tcphs_record, reset.comm) == 14 * 8);
static_assert(offsetof(struct tcphs_record, segment.seq) == 9 * 8);
static_assert(offsetof(struct tcphs_record, segment.len) == 10 * 8);
static_assert(offsetof(struct tcphs_record, segment.options) == 11 * 8);
static_assert(offsetof(struct tcphs_record, saddr) +
	      sizeof(struct tcphs_raw_segment) == sizeof(struct tcphs_record));
static_assert(offsetof(struct tcphs_raw_segment, options) ==
	      offsetof(struct tcphs_raw_segment, header) + sizeof(struct tcphdr));
static_assert(offsetof(struct tcphs_raw_segment, options) ==
	      offsetof(struct tcphs_record, segment.options) -
	      offsetof(struct tcphs_record, saddr));
static_assert(TCPHS_HAS_SND_NXT == 1 << 0 && TCPHS_HAS_IRS == 1 << 5);
static_assert(offsetof(struct tcphs_numbers, irs) == 5 * sizeof(u32));

/* Of a segment's five words of options those that there are: by half words. */
#define OPTION(halves, i) \
	((halves) > 2 * (i) + 1 ? U64_MAX : (halves) > 2 * (i) ? U32_MAX : 0)
#define OPTIONS(halves) { OPTION(halves, 0), OPTION(halves, 1), \
	OPTION(halves, 2), OPTION(halves, 3), OPTION(halves, 4) }

/* By the header's length in words, as it is on the wire. */
static const u64 tcphs_seal_options[16][5] = {
	[6] = OPTIONS(1), [7] = OPTIONS(2), [8] = OPTIONS(3), [9] = OPTIONS(4),
	[10] = OPTIONS(5), [11] = OPTIONS(6), [12] = OPTIONS(7),
	[13] = OPTIONS(8), [14] = OPTIONS(9), [15] = OPTIONS(10),
};

#undef OPTIONS
#undef OPTION

/* Two numbers, of which two bits of `has` say whether they are any. */
static __always_inline u64 tcphs_seal_numbers(u64 two, unsigned int has)
{
	if (!(has & 1))
		two &= ~(u64)U32_MAX;
	if (!(has & 2))
		two &= U32_MAX;
	return two;
}

/* Is what was taken so far not this record's? Pairs with smp_wmb() in ring.h. */
static __always_inline bool
tcphs_seal_overtaken(const struct tcphs_seal_slot *slot)
{
	smp_rmb(); /* what was taken before the look: see above */
	return unlikely(READ_ONCE(*slot->reserved) - slot->n > slot->slots);
}

/**
 * tcphs_seal_copy() - a record, fit to leave the kernel
 * @slot: where it is
 * @names: of the reader; all zero at first
 * @to: TCPHS_SEAL_WORDS words of ours, or NULL: then
 * @user: the same of a user, inside of user_access_begin()
 * @ours: which of them; a constant
 *
 * Of a record that came to nothing some words may stand in the buffer, sealed.
 *
 * Return: TCPHS_SEAL_NAMELESS and FAULT for a user's buffer only.
 */
static __always_inline enum tcphs_seal
tcphs_seal_copy(const struct tcphs_seal_slot *slot, struct tcphs_names *names,
		u64 *to, u64 __user *user, const bool ours)
{
	u64 w3, w4, w5 = 0, w6, w7 = 0, w8, w9, w10, w11, w12, w13, w14, w15;
	const u64 *options = tcphs_seal_options[0];
	unsigned int kind, via = 0, has;
	u64 name, address, bytes;
	bool inet6, second;

/* It races with a writer by design. */
#define take(i)	data_race(READ_ONCE(slot->word[i]))
#define put(i, value) \
do { \
	if (ours) \
		to[i] = value; \
	else \
		unsafe_put_user((u64)(value), user + (i), fault); \
} while (0)

	/* An address is one word: it was a socket's, even if not this record's. */
	address = take(2);
	if (!tcphs_name_find(names, address, &name)) {
		if (!ours)
			return TCPHS_SEAL_NAMELESS;
		name = tcphs_name_make(names, address);
	}
	w3 = take(3);
	kind = w3 >> 48 & 0xff;
	inet6 = w3 >> 56 & TCPHS_INET6;
	w4 = take(4);
	w8 = take(8);
	if (kind == TCPHS_SEGMENT) {
		/* The headers' bytes: see struct tcphs_raw_segment. */
		w9 = take(9);
		w10 = take(10);
		/* Of one that came the source is the remote end. */
		second = !(w10 >> 32 & TCPHS_SEG_OUT);
		bytes = swab64(w8);
		bytes = second ? (u32)bytes : rol32(bytes, 16);
		w9 = rol64(swab64(w9), 32);
		bytes |= (w10 & 0xffffULL << 32) | w10 << 48;
		options = tcphs_seal_options[w10 >> 4 & 0xf];
		w10 = swab64(w10);
		w10 = (u32)w8 | (w10 & 0xffffULL << 32) | w10 << 48;
		w8 = bytes;
	} else {
		/* Sockets have the remote end first, in IPv4: identity.h. */
		second = !inet6;
		via = kind == TCPHS_TRANSITION ? w8 >> 48 & 0xff :
						 TCPHS_VIA_TRACEPOINT;
		w8 = (w8 & ~(u64)U32_MAX) | rol32(swab32(w8), 16);
	}
	if (inet6) {
		w5 = take(5);
		w6 = take(6);
		w7 = take(7);
		if (second) {
			swap(w4, w6);
			swap(w5, w7);
		}
	} else {
		w6 = second ? (u32)w4 : w4 >> 32;
		w4 = second ? w4 >> 32 : (u32)w4;
	}

	/* Sockets have their ports one after the other, and may lose them again. */
	if (via == TCPHS_VIA_TRACEPOINT) {
		if (!(w8 & 0xffff))
			w3 |= (u64)TCPHS_NO_LOCAL_PORT << 56;
		if (!(w8 & 0xffff0000)) {
			w3 |= (u64)TCPHS_NO_REMOTE << 56;
			/*
			 * The child's first event: newer kernels (7.2, not 6.12)
			 * have set its ends. Before, its remote end is the
			 * listener's, that is none; its local port is the
			 * listener's and right, its address may be any.
			 */
			if (kind == TCPHS_TRANSITION &&
			    (w8 >> 32 & 0xff) == TCPHS_LISTEN)
				w6 = w7 = 0;
		}
	}
	if (tcphs_seal_overtaken(slot))
		return TCPHS_SEAL_OVERTAKEN;
	put(0, slot->ts);
	put(1, slot->n);
	put(2, name);
	put(3, (w3 & ~(0xffffULL << 32)) | (u64)slot->cpu << 32);
	put(4, w4);
	put(5, w5);
	put(6, w6);
	put(7, w7);
	put(8, w8);
	if (kind == TCPHS_SEGMENT) {
		w11 = take(11) & options[0];
		w12 = take(12) & options[1];
		w13 = take(13) & options[2];
		w14 = take(14) & options[3];
		w15 = take(15) & options[4];
	} else {
		w9 = take(9);
		w10 = take(10);
		w11 = take(11);
		w12 = take(12);
		w13 = take(13);
		w14 = take(14);
		w15 = take(15);
		has = w8 >> 56;
		if (kind == TCPHS_TRANSITION) {
			if (has & TCPHS_HAS_BIRTH) {
				w11 = 0;	/* birth.__pad */
			} else {
				w9 = tcphs_seal_numbers(w9, has);
				w10 = tcphs_seal_numbers(w10, has >> 2);
				w11 = tcphs_seal_numbers(w11, has >> 4);
			}
			if (via == TCPHS_VIA_REQUEST) {
				w12 &= ~(u64)U32_MAX;
				address = w13;
				if (!tcphs_name_find(names, address, &w13)) {
					if (!ours)
						return TCPHS_SEAL_NAMELESS;
					w13 = tcphs_name_make(names, address);
				}
			} else if (has & TCPHS_HAS_OWNER) {
				w14 &= U64_MAX >> 8;
			} else {
				w12 &= ~(u64)U32_MAX;
				w13 = w14 = 0;
			}
			if ((w8 >> 40 & 0xff) != TCPHS_CLOSE)
				w15 = 0;	/* error, fact, timeouts, unread */
		} else if (kind == TCPHS_RESET) {
			w10 = tcphs_seal_numbers(w10, has);
			w11 = tcphs_seal_numbers(w11, has >> 2);
			w12 = tcphs_seal_numbers(w12, has >> 4);
			if (has & TCPHS_HAS_OWNER) {
				w15 &= U64_MAX >> 8;
			} else {
				w13 &= ~(u64)U32_MAX;
				w14 = w15 = 0;
			}
		}
	}
	if (tcphs_seal_overtaken(slot))
		return TCPHS_SEAL_OVERTAKEN;
	put(9, w9);
	put(10, w10);
	put(11, w11);
	put(12, w12);
	put(13, w13);
	put(14, w14);
	put(15, w15);
	return TCPHS_SEAL_DONE;

fault: __maybe_unused;
	return TCPHS_SEAL_FAULT;

#undef put
#undef take
}

#endif /* _TCPHS_SEAL_H */
