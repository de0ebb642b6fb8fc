// SPDX-License-Identifier: GPL-2.0
/*
 * A pcapng file as libpcap reads it, against the recording that it was made of:
 * a packet for each segment sent, with its numbers, and one for each segment
 * received of which no sending was recorded.
 *
 *	export_test NAME RECORDING PCAPNG
 */
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs.h>

#include "tap.h"

/* What is in a header, in the order of the wire. */
struct key {
	uint8_t from[16];
	uint8_t to[16];
	uint16_t from_port;
	uint16_t to_port;
	uint32_t seq;
	uint32_t ack;
	uint32_t len;
	uint16_t win;
	uint16_t urg;
	uint8_t offset;
	uint8_t flags;
	uint8_t options[40];
};

struct seen {
	struct key key;
	uint64_t ts;
	bool out;
	bool packet;
	bool used;
};

static struct seen *list;
static size_t count;
static int64_t wall_offset;

static struct seen *add(void)
{
	list = realloc(list, (count + 1) * sizeof(*list));
	if (!list)
		exit(2);
	memset(&list[count], 0, sizeof(*list));
	return &list[count++];
}

static void read_recording(const char *path)
{
	struct tcphs_header h;
	struct tcphs_record r;
	FILE *f = fopen(path, "re");

	if (!f || fread(&h, sizeof(h), 1, f) != 1)
		exit(2);
	wall_offset = h.wall_offset;
	while (fread(&r, sizeof(r), 1, f) == 1) {
		bool out = r.segment.mark & TCPHS_SEG_OUT;
		struct seen *s;

		if (r.kind != TCPHS_SEGMENT)
			continue;
		s = add();
		s->out = out;
		s->ts = r.ts;
		memcpy(s->key.from, out ? r.saddr : r.daddr, 16);
		memcpy(s->key.to, out ? r.daddr : r.saddr, 16);
		s->key.from_port = out ? r.sport : r.dport;
		s->key.to_port = out ? r.dport : r.sport;
		s->key.seq = r.segment.seq;
		s->key.ack = r.segment.ack;
		s->key.len = r.segment.len;
		s->key.win = r.segment.win;
		s->key.urg = r.segment.urg;
		s->key.offset = r.segment.offset;
		s->key.flags = r.segment.flags;
		memcpy(s->key.options, r.segment.options, (r.segment.offset >> 4) * 4 - 20);
	}
	fclose(f);
}

static uint32_t big(const uint8_t *b, size_t size)
{
	uint32_t value = 0;

	while (size--)
		value = value << 8 | *b++;
	return value;
}

static uint32_t add_up(uint32_t sum, const uint8_t *b, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		sum += (uint32_t)b[i] << (i & 1 ? 0 : 8);
	return sum;
}

static bool sum_is_right(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* False when the packet is not what an IP stack would take. */
static bool take(const struct pcap_pkthdr *h, const uint8_t *b)
{
	bool inet6 = b[16] >> 4 == 6;
	size_t ip = inet6 ? 40 : 20, address = inet6 ? 16 : 4, header;
	const uint8_t *tcp = b + 16 + ip;
	struct seen *s = add();
	uint32_t sum;

	s->packet = true;
	s->out = big(b, 2) == 4;
	if (big(b, 2) & ~4 || big(b + 14, 2) != (inet6 ? 0x86dd : 0x0800))
		return false;
	b += 16;
	s->ts = (uint64_t)h->ts.tv_sec * 1000000000 + h->ts.tv_usec - wall_offset;
	if (h->caplen < 16 + ip + 20)
		return false;
	header = (tcp[12] >> 4) * 4;
	if (h->caplen != 16 + ip + header || b[inet6 ? 6 : 9] != IPPROTO_TCP)
		return false;
	memcpy(s->key.from, b + (inet6 ? 8 : 12), address);
	memcpy(s->key.to, b + (inet6 ? 24 : 16), address);
	s->key.from_port = big(tcp, 2);
	s->key.to_port = big(tcp + 2, 2);
	s->key.seq = big(tcp + 4, 4);
	s->key.ack = big(tcp + 8, 4);
	s->key.offset = tcp[12];
	s->key.flags = tcp[13];
	s->key.win = big(tcp + 14, 2);
	s->key.urg = big(tcp + 18, 2);
	memcpy(s->key.options, tcp + 20, header - 20);
	s->key.len = h->len - 16 - ip - header;
	if (inet6) {
		if (b[0] != 0x60 || big(b + 4, 2) != h->len - 16 - ip)
			return false;
	} else if (b[0] != 0x45 || big(b + 2, 2) != h->len - 16 ||
		   !sum_is_right(add_up(0, b, ip))) {
		return false;
	}
	if (s->key.len)
		return !big(tcp + 16, 2);
	sum = add_up(IPPROTO_TCP + header, s->key.from, address);
	sum = add_up(sum, s->key.to, address);
	return sum_is_right(add_up(sum, tcp, header));
}

static bool read_packets(const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const uint8_t *bytes;
	bool good = true;
	uint64_t last = 0;
	int got;
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path,
				PCAP_TSTAMP_PRECISION_NANO, error);

	if (!p) {
		tap_note("%s", error);
		return false;
	}
	good = pcap_datalink(p) == DLT_LINUX_SLL;
	while ((got = pcap_next_ex(p, &h, &bytes)) == 1) {
		good &= take(h, bytes);
		good &= list[count - 1].ts >= last;
		last = list[count - 1].ts;
	}
	if (got != PCAP_ERROR_BREAK)
		tap_note("%s", pcap_geterr(p));
	pcap_close(p);
	return good && got == PCAP_ERROR_BREAK;
}

static struct seen *find(const struct seen *like, bool packet, bool out, bool at_its_time)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!list[i].used && list[i].packet == packet && list[i].out == out &&
		    (!at_its_time || list[i].ts == like->ts) &&
		    !memcmp(&list[i].key, &like->key, sizeof(like->key)))
			return &list[i];
	return NULL;
}

/* A sending of which this is a part: it was cut or joined on the way. */
static bool within_a_sending(const struct seen *in)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct key *k = &list[i].key;

		if (!list[i].packet && list[i].out &&
		    !memcmp(k->from, in->key.from, 32) &&
		    k->from_port == in->key.from_port && k->to_port == in->key.to_port &&
		    (int32_t)(in->key.seq - k->seq) >= 0 &&
		    (int32_t)(in->key.seq - k->seq - k->len) <= 0)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	size_t i, sent = 0, lacking = 0, unseen = 0, invented = 0;

	if (argc != 4)
		return 2;
	read_recording(argv[2]);
	tap_ok(read_packets(argv[3]), "%s: libpcap reads whole packets in order", argv[1]);
	/* Each sending is a packet, at its time. */
	for (i = 0; i < count; i++) {
		struct seen *s = &list[i], *p;

		if (s->packet || !s->out)
			continue;
		sent++;
		p = find(s, true, true, true);
		if (p)
			p->used = true;
		else
			lacking++;
	}
	if (!tap_ok(!lacking, "%s: all that was sent has its packet", argv[1]))
		tap_note("%zu of %zu are missing", lacking, sent);
	/* The other packets are arrivals, and each arrival has a packet. */
	for (i = 0; i < count; i++) {
		struct seen *p = &list[i], *s;

		if (!p->packet || p->used)
			continue;
		s = find(p, false, false, true);
		p->used = true;
		if (s && !p->out)
			s->used = true;
		else
			invented++;
	}
	if (!tap_ok(!invented, "%s: no packet is invented", argv[1]))
		tap_note("%zu are", invented);
	for (i = 0; i < count; i++) {
		struct seen *s = &list[i], *from;

		if (s->packet || s->out || s->used)
			continue;
		/* Its sending is the packet. */
		from = find(s, false, true, false);
		s->used = true;
		if (from)
			from->used = true;
		else if (!within_a_sending(s))
			unseen++;
	}
	if (!tap_ok(!unseen, "%s: all that was received has its packet", argv[1]))
		tap_note("%zu are missing", unseen);
	free(list);
	return tap_end();
}
