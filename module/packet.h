/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TCP segment in an skb at LOCAL_IN or LOCAL_OUT: where its parts are. Inline
 * with `out` and `inet6` constant, since every TCP segment of the machine
 * passes here.
 */
#ifndef _TCPHS_PACKET_H
#define _TCPHS_PACKET_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#define TCPHS_TCP_LEN	20U	/* header without options */
#define TCPHS_FLAGS_BYTE	13	/* offset of the flags in the header */
#define TCPHS_OFFSET_BYTE	12	/* offset of the data offset */

/* A TCP segment in an skb: where its parts are. */
struct tcphs_packet {
	struct sk_buff *skb;
	const struct nf_hook_state *state;
	const struct tcphdr *th;
	const void *saddr;	/* source, as on the wire */
	const void *daddr;
	unsigned int off;	/* of the TCP header from skb->data */
	u32 len;		/* payload */
	bool inet6;
	u8 mark;		/* TCPHS_SEG_PROBE, _ANSWER */
	struct tcphdr buf;	/* th points here if it is not linear */
};

static inline u8 tcphs_packet_flags(const struct tcphdr *th)
{
	return ((const u8 *)th)[TCPHS_FLAGS_BYTE];
}

static __always_inline bool tcphs_packet_header(struct tcphs_packet *p)
{
	p->th = skb_header_pointer(p->skb, p->off, TCPHS_TCP_LEN, &p->buf);
	return p->th;
}

/* Return: false if this is not TCP, or a fragment without a header. */
static __always_inline bool tcphs_packet_parse4(struct tcphs_packet *p)
{
	const struct iphdr *iph = ip_hdr(p->skb);

	if (iph->protocol != IPPROTO_TCP ||
	    unlikely(iph->frag_off & htons(IP_OFFSET)))
		return false;
	p->inet6 = false;
	p->saddr = &iph->saddr;
	p->daddr = &iph->daddr;
	p->off = skb_network_offset(p->skb) + iph->ihl * 4;
	return tcphs_packet_header(p);
}

#if IS_ENABLED(CONFIG_IPV6)
static __always_inline bool tcphs_packet_parse6(struct tcphs_packet *p)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(p->skb);
	unsigned short frag_off = 0;
	unsigned int off = 0;

	if (likely(ip6h->nexthdr == IPPROTO_TCP)) {
		p->off = skb_network_offset(p->skb) + sizeof(*ip6h);
	} else {
		if (ipv6_find_hdr(p->skb, &off, -1, &frag_off, NULL) !=
		    IPPROTO_TCP || frag_off)
			return false;
		p->off = off;
	}
	p->inet6 = true;
	p->saddr = &ip6h->saddr;
	p->daddr = &ip6h->daddr;
	return tcphs_packet_header(p);
}
#else
static inline bool tcphs_packet_parse6(struct tcphs_packet *p)
{
	return false;
}
#endif

/* Addresses and ports of this end and the other. */
static __always_inline const void *tcphs_packet_local(const struct tcphs_packet *p,
						      bool out)
{
	return out ? p->saddr : p->daddr;
}

static __always_inline const void *tcphs_packet_remote(const struct tcphs_packet *p,
						       bool out)
{
	return out ? p->daddr : p->saddr;
}

static __always_inline u16 tcphs_packet_sport(const struct tcphs_packet *p, bool out)
{
	return ntohs(out ? p->th->source : p->th->dest);
}

static __always_inline u16 tcphs_packet_dport(const struct tcphs_packet *p, bool out)
{
	return ntohs(out ? p->th->dest : p->th->source);
}

#endif /* _TCPHS_PACKET_H */
