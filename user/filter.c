// SPDX-License-Identifier: GPL-2.0
/* FILTER: libpcap's language, on headers made of a connection's tuple. */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "memory.h"
#include "message.h"

struct tcphs_filter {
	struct bpf_program program;
};

/* An IP and a TCP header without options, as on a link without its own. */
struct packet {
	union {
		struct {
			struct iphdr ip;
			struct tcphdr tcp;
		} __attribute__((packed)) v4;
		struct {
			struct ip6_hdr ip;
			struct tcphdr tcp;
		} __attribute__((packed)) v6;
		uint8_t bytes[60];
	};
	unsigned int size;
};

struct tcphs_filter *tcphs_filter_try(const char *expression, char why[TCPHS_FILTER_WHY])
{
	struct tcphs_filter *f = tcphs_memory_get(1, sizeof(*f));
	pcap_t *pcap = pcap_open_dead(DLT_RAW, sizeof(struct packet));

	if (!pcap) {
		snprintf(why, TCPHS_FILTER_WHY, "libpcap: out of memory");
		free(f);
		return NULL;
	}
	if (pcap_compile(pcap, &f->program, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(why, TCPHS_FILTER_WHY, "%s: see pcap-filter(7)", pcap_geterr(pcap));
		free(f);
		f = NULL;
	}
	pcap_close(pcap);
	return f;
}

struct tcphs_filter *tcphs_filter_new(const char *expression)
{
	char why[TCPHS_FILTER_WHY];
	struct tcphs_filter *f = tcphs_filter_try(expression, why);

	if (!f)
		tcphs_message_print("filter \"%s\": %s", expression, why);
	return f;
}

static struct tcphdr ports(const struct tcphs_tuple *t)
{
	return (struct tcphdr){
		.source = htons(t->lport),
		.dest = htons(t->rport),
		.doff = sizeof(struct tcphdr) / 4,
		.ack = 1,
	};
}

static void make(struct packet *p, const struct tcphs_tuple *t)
{
	memset(p, 0, sizeof(*p));
	if (t->inet6) {
		p->size = sizeof(p->v6);
		p->v6.ip.ip6_ctlun.ip6_un2_vfc = 6 << 4;
		p->v6.ip.ip6_plen = htons(sizeof(p->v6.tcp));
		p->v6.ip.ip6_nxt = IPPROTO_TCP;
		p->v6.ip.ip6_hlim = 64;
		memcpy(&p->v6.ip.ip6_src, t->local, sizeof(p->v6.ip.ip6_src));
		memcpy(&p->v6.ip.ip6_dst, t->remote, sizeof(p->v6.ip.ip6_dst));
		p->v6.tcp = ports(t);
	} else {
		p->size = sizeof(p->v4);
		p->v4.ip.version = 4;
		p->v4.ip.ihl = sizeof(p->v4.ip) / 4;
		p->v4.ip.tot_len = htons(sizeof(p->v4));
		p->v4.ip.ttl = 64;
		p->v4.ip.protocol = IPPROTO_TCP;
		memcpy(&p->v4.ip.saddr, t->local, sizeof(p->v4.ip.saddr));
		memcpy(&p->v4.ip.daddr, t->remote, sizeof(p->v4.ip.daddr));
		p->v4.tcp = ports(t);
	}
}

static bool match(const struct tcphs_filter *f, const struct tcphs_tuple *t)
{
	struct packet p;
	struct pcap_pkthdr h = { 0 };

	make(&p, t);
	h.caplen = h.len = p.size;
	return pcap_offline_filter(&f->program, &h, p.bytes);
}

bool tcphs_filter_match(const struct tcphs_filter *f, const struct tcphs_tuple *t)
{
	struct tcphs_tuple mirror;

	if (!f || match(f, t))
		return true;
	tcphs_address_mirror(t, &mirror);
	return match(f, &mirror);
}

void tcphs_filter_free(struct tcphs_filter *f)
{
	if (!f)
		return;
	pcap_freecode(&f->program);
	free(f);
}
