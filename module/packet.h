/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TCP segment in an skb at LOCAL_IN or LOCAL_OUT: where its parts are. Inline
 * with `out` and `inet6` constant, since every TCP segment of the machine
 * passes here.
 *
 * At both hooks the network header is where the skb's data begin. A TCP header
 * is linear nearly always; of one that is not the caller has a copy. Either way
 * TCPHS_PACKET_READABLE bytes can be read at it, of which only those are the
 * header's that its data offset says.
 */
#ifndef _TCPHS_PACKET_H
#define _TCPHS_PACKET_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#define TCPHS_TCP_LEN		20U	/* header without options */
#define TCPHS_OFFSET_BYTE	12	/* of the data offset in the header */
#define TCPHS_FLAGS_BYTE	13	/* of the flags */
#define TCPHS_PACKET_READABLE	60U	/* the longest header */

/* A linear header may be read past its end, but not past the skb's memory. */
static_assert(SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) >=
	      TCPHS_PACKET_READABLE);

static __always_inline u8 tcphs_packet_flags(const struct tcphdr *th)
{
	return ((const u8 *)th)[TCPHS_FLAGS_BYTE];
}

/* Bytes of the header, as its data offset has it; less than 20 is malformed. */
static __always_inline u32 tcphs_packet_doff(const struct tcphdr *th)
{
	return (((const u8 *)th)[TCPHS_OFFSET_BYTE] & 0xf0) >> 2;
}

/** tcphs_packet_is_long() - is the header longer than `most`, a multiple of 4? */
static __always_inline bool tcphs_packet_is_long(const struct tcphdr *th, u32 most)
{
	return ((const u8 *)th)[TCPHS_OFFSET_BYTE] > (most << 2 | 0xf);
}

/** tcphs_packet_is_tcp4() - is this IPv4 packet TCP's? */
static __always_inline bool tcphs_packet_is_tcp4(const struct sk_buff *skb)
{
	return ((const struct iphdr *)skb->data)->protocol == IPPROTO_TCP;
}

/**
 * tcphs_packet_is_plain4() - is it TCP, the header right behind IPv4's?
 * @skb: an IPv4 packet
 */
static __always_inline bool tcphs_packet_is_plain4(const struct sk_buff *skb)
{
	__be32 word;

	/* Fragments may have a header or not; the protocol is three bytes on. */
	static_assert(offsetof(struct iphdr, protocol) ==
		      offsetof(struct iphdr, frag_off) + 3);
	memcpy(&word, skb->data + offsetof(struct iphdr, frag_off), sizeof(word));
	/* Version and header length. */
	return *skb->data == 0x45 &&
	       (word & htonl(IP_OFFSET << 16 | 0xff)) == htonl(IPPROTO_TCP);
}

/**
 * tcphs_packet_find4() - where the TCP header is
 * @skb: an IPv4 packet
 * @off: from skb->data; set only if this is TCP
 *
 * Return: false if this is not TCP, or a fragment without a header.
 */
static inline bool tcphs_packet_find4(const struct sk_buff *skb, u32 *off)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;

	if (iph->protocol != IPPROTO_TCP || iph->frag_off & htons(IP_OFFSET))
		return false;
	*off = iph->ihl * 4;
	return true;
}

/** tcphs_packet_is_plain6() - the same of an IPv6 packet */
static __always_inline bool tcphs_packet_is_plain6(const struct sk_buff *skb)
{
	return ((const struct ipv6hdr *)skb->data)->nexthdr == IPPROTO_TCP;
}

/*
 * The header that comes behind this one (RFC 8200, 4).
 * @head: the first bytes of a header
 * @nexthdr: its kind, replaced by the next one's
 * @out: this machine sends it
 *
 * Return: bytes that it is long; 0 if no TCP header follows that is TCP's to see.
 */
static inline u32 tcphs_packet_skip6(const u8 head[8], u8 *nexthdr, bool out)
{
	u8 kind = *nexthdr;

	*nexthdr = head[0];
	switch (kind) {
	case NEXTHDR_ROUTING:
		/* Segments left: those that come are to be passed on. */
		if (!out && head[3])
			return 0;
		fallthrough;
	case NEXTHDR_HOP:
	case NEXTHDR_DEST:
		return (head[1] + 1) * 8;
	case NEXTHDR_FRAGMENT:
		/*
		 * The first one stands for all: they are put together behind this
		 * hook, unless connection tracking has done so before.
		 */
		return (head[2] | (head[3] & ~0x7)) ? 0 : 8;
	default:
		/*
		 * Behind an authentication header, as inside ESP, comes what this hook
		 * sees once more without it.
		 */
		return 0;
	}
}

static inline bool tcphs_packet_find6(const struct sk_buff *skb, u32 *off, bool out)
{
	u8 kind = ((const struct ipv6hdr *)skb->data)->nexthdr;
	u32 at = sizeof(struct ipv6hdr), more;
	const u8 *head;
	u8 copy[8];

	while (kind != IPPROTO_TCP) {
		head = skb_header_pointer(skb, at, sizeof(copy), copy);
		more = head ? tcphs_packet_skip6(head, &kind, out) : 0;
		if (!more)
			return false;
		at += more;
	}
	*off = at;
	return true;
}

/* Addresses of this end and the other: struct in6_addr or __be32. */
static __always_inline const void *tcphs_packet_local(const struct sk_buff *skb,
						      bool out, bool inet6)
{
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)skb->data;
	const struct iphdr *iph = (const struct iphdr *)skb->data;

	if (inet6)
		return out ? &ip6h->saddr : &ip6h->daddr;
	return out ? &iph->saddr : &iph->daddr;
}

static __always_inline const void *tcphs_packet_remote(const struct sk_buff *skb,
						       bool out, bool inet6)
{
	return tcphs_packet_local(skb, !out, inet6);
}

static __always_inline u16 tcphs_packet_sport(const struct tcphdr *th, bool out)
{
	return ntohs(out ? th->source : th->dest);
}

static __always_inline u16 tcphs_packet_dport(const struct tcphdr *th, bool out)
{
	return ntohs(out ? th->dest : th->source);
}

#endif /* _TCPHS_PACKET_H */
