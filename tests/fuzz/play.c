// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs.h>

#include "play.h"

enum { ACT = 16, CPUS = 2, PAIRS = 4 };

/* What happens next, as the bytes say it. */
struct act {
	uint8_t kind;		/* 3 bits of kind, 1 CPU, 2 sock, 1 INET6, 1 step back */
	uint8_t who;		/* 2 bits of pair, 1 direction, 1 netns, 4 flags */
	uint8_t when;		/* 2 bits of unit, 6 of count */
	uint8_t what[2];	/* by kind */
	uint8_t number[6];	/* 3 bits of base, 5 of what is added */
	uint8_t more[5];	/* by kind */
};

_Static_assert(sizeof(struct act) == ACT, "act");

static uint32_t number(uint8_t code)
{
	static const uint32_t base[8] = {
		1000, 0x80000000, 0xfffffff0, 5000, 0, 1460, 0x7fffffff, 100000,
	};

	return base[code >> 5] + (code & 31) - 4;
}

static uint8_t state(uint8_t code)
{
	return code % (TCPHS_STATE_MAX + 1);
}

/* No more than this many bytes have a meaning; what they mean is the reader's. */
static void copy_text(char *to, size_t size, const struct act *a)
{
	memset(to, 0, size);
	to[0] = 'a' + a->more[0] % 3;
	to[1] = a->more[1];
	to[2] = a->more[2];
}

static void set_numbers(struct tcphs_numbers *nr, const struct act *a)
{
	nr->snd_nxt = number(a->number[0]);
	nr->snd_una = number(a->number[1]);
	nr->rcv_nxt = number(a->number[2]);
	nr->write_seq = number(a->number[3]);
	nr->iss = number(a->number[4]);
	nr->irs = number(a->number[5]);
}

static void set_transition(struct tcphs_record *r, const struct act *a)
{
	struct tcphs_transition *t = &r->transition;

	r->kind = TCPHS_TRANSITION;
	t->old = state(a->what[0] & 15);
	t->new = state(a->what[0] >> 4);
	t->via = 1 + (a->what[1] & 3) % 3;
	t->has = a->what[1] & 4 ? TCPHS_HAS_BIRTH : 0x3f;
	if (a->what[1] & 8)
		t->has &= a->more[3];
	if (a->what[1] & 16)
		t->has |= TCPHS_HAS_OWNER;
	if (t->has & TCPHS_HAS_BIRTH) {
		t->birth.cgroup = a->number[0];
		t->birth.backlog = a->number[1];
	} else {
		set_numbers(&t->nr, a);
	}
	t->pid = a->more[0];
	t->uid = a->more[3] & 1 ? TCPHS_UID_UNKNOWN : a->more[3];
	if (t->via == TCPHS_VIA_REQUEST) {
		t->queues.listener = 1 + (a->more[0] & 3);
		t->queues.drops = a->more[1];
	} else {
		copy_text(t->comm, sizeof(t->comm), a);
	}
	t->error = a->more[4];
	t->fact = a->what[1] >> 5;
	t->timeouts = a->more[3] & 7;
	t->unread = a->more[2];
}

static void set_segment(struct tcphs_record *r, const struct act *a)
{
	struct tcphs_segment *s = &r->segment;
	size_t i;

	r->kind = TCPHS_SEGMENT;
	s->flags = a->what[0];
	s->mark = a->what[1];
	s->state = state(a->more[4] & 15);
	s->offset = a->number[3] & 0xf0;
	s->seq = number(a->number[0]);
	s->ack = number(a->number[1]);
	s->len = a->number[2] & 0x80 ? number(a->number[2]) : a->number[2];
	s->win = a->number[4] << 8 | a->number[5];
	/* The same few bytes again and again: kinds and lengths that meet. */
	for (i = 0; i < sizeof(s->options); i++)
		s->options[i] = a->more[i % sizeof(a->more)] + (i < 5 ? 0 : i / 5);
}

static void set_reset(struct tcphs_record *r, const struct act *a)
{
	struct tcphs_reset *reset = &r->reset;

	r->kind = TCPHS_RESET;
	reset->out = a->what[0] & 1;
	reset->state = state(a->what[0] >> 1 & 15);
	reset->reason = a->what[1];
	reset->has = a->what[0] & 0x20 ? 0x3f : a->more[3] & 0x7f;
	reset->fact = a->what[0] >> 6;
	reset->probes = a->more[0] & 7;
	reset->error = a->more[4];
	reset->unread = a->more[2];
	set_numbers(&reset->nr, a);
	copy_text(reset->comm, sizeof(reset->comm), a);
}

static void set_rest(struct tcphs_record *r, const struct act *a, uint64_t since)
{
	switch (a->kind & 7) {
	case 5:
		r->kind = TCPHS_DESTROY;
		r->destroy.retransmits = a->number[0];
		r->destroy.bytes_sent = a->number[1];
		r->destroy.bytes_acked = a->number[2];
		r->destroy.bytes_received = (uint64_t)a->number[3] << (a->more[0] & 63);
		r->destroy.data_segs_out = a->number[4];
		r->destroy.bytes_retrans = a->number[5];
		break;
	case 6:
		r->kind = TCPHS_LOST;
		r->lost.count = 1 + a->what[0];
		r->lost.since = since;
		break;
	default:
		r->kind = TCPHS_ACCEPT;
		r->accept.state = state(a->what[0]);
		r->accept.listener = a->what[1] & 3;
		r->accept.pid = a->number[0];
		copy_text(r->accept.comm, sizeof(r->accept.comm), a);
	}
}

/* One of few pairs of ends, from either side; the last talks to itself. */
static void set_ends(struct tcphs_record *r, const struct act *a)
{
	unsigned int pair = a->who % PAIRS, turned = a->who >> 2 & 1;
	unsigned int size = a->kind & 0x40 ? 16 : 4;
	uint16_t client = 40000 + pair, server = 80 + pair / 2;

	r->flags = (a->kind & 0x40 ? TCPHS_INET6 : 0) | (a->who >> 4 & 0xf) << 1;
	if (a->who & 0x10)
		r->flags &= ~TCPHS_INET6;
	if (!(r->flags & TCPHS_INET6))
		size = 4;
	memset(r->saddr, turned ? 10 : 20, size);
	memset(r->daddr, turned ? 20 : 10, size);
	r->sport = turned ? client : server;
	r->dport = turned ? server : client;
	if (pair == PAIRS - 1) {
		memcpy(r->daddr, r->saddr, size);
		r->dport = r->sport;
	}
	r->netns = a->who & 8 ? 4026531840U : 4026532000U;
	r->sock = (a->kind >> 4 & 3) ? (a->who & 7) * 4 + (a->kind >> 4 & 3) : 0;
}

static void set_header(struct tcphs_header *h, const uint8_t *data, unsigned int host)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, TCPHS_MAGIC, sizeof(h->magic));
	h->byte_order = TCPHS_BYTE_ORDER;
	h->abi_major = TCPHS_ABI_MAJOR;
	h->abi_minor = TCPHS_ABI_MINOR;
	h->header_size = TCPHS_HEADER_SIZE;
	h->record_size = TCPHS_RECORD_SIZE;
	h->cpus = CPUS;
	h->ring_records = 8192;
	h->session = 1 + host;
	/* Their clocks are wrong by as much. */
	h->wall_offset = 1700000000000000000 + host * 300000;
	h->opened = 1000000000000;
	h->segments = (data[0] & 3) % 3;
	h->filtered = data[0] >> 2 & 1;
	h->netns = data[0] & 8 ? 4026532000U : 0;
	h->missing = data[1];
	strcpy(h->hostname, host ? "other" : "host");
	strcpy(h->release, "6.1.0");
}

void play_make(const uint8_t *data, size_t size, unsigned int host,
	       struct reader_recording *recording)
{
	static const uint64_t unit[4] = { 1000, 200000, 40000000, 30000000000 };
	size_t acts = size > 2 ? (size - 2) / ACT : 0, i;
	uint8_t none[2] = { 1, 0 };
	uint64_t n[CPUS] = { 0 }, ts = 1000000, last[CPUS] = { 0 };
	struct tcphs_record *r;
	uint8_t *out;

	recording->size = sizeof(struct tcphs_header) + acts * sizeof(*r);
	out = calloc(1, recording->size);
	if (!out)
		abort();
	recording->bytes = out;
	set_header((struct tcphs_header *)out, size >= 2 ? data : none, host);
	r = (struct tcphs_record *)(out + sizeof(struct tcphs_header));
	for (i = 0; i < acts; i++, r++) {
		struct act a;

		memcpy(&a, data + 2 + i * ACT, ACT);
		r->cpu = a.kind >> 3 & 1;
		ts += unit[a.when >> 6] * (a.when & 63);
		/* Records of two hosts, or of a stopped clock, may step back. */
		r->ts = a.kind & 0x80 && ts > 900000 ? ts - 900000 : ts;
		set_ends(r, &a);
		switch (a.kind & 7) {
		case 0:
		case 1:
			set_transition(r, &a);
			break;
		case 2:
		case 3:
			set_segment(r, &a);
			break;
		case 4:
			set_reset(r, &a);
			break;
		default:
			set_rest(r, &a, last[r->cpu]);
		}
		r->n = n[r->cpu];
		n[r->cpu] += r->kind == TCPHS_LOST ? r->lost.count : 1;
		last[r->cpu] = r->ts;
	}
}

size_t play_make_all(const uint8_t *data, size_t size, bool two,
		     struct reader_recording r[2])
{
	size_t first = two ? size / 2 / ACT * ACT + 2 : size;

	if (first > size)
		first = size;
	play_make(data, first, 0, &r[0]);
	if (two)
		play_make(data + first, size - first, 1, &r[1]);
	return 1 + two;
}

void play_free(struct reader_recording *r, size_t count)
{
	while (count--)
		free((void *)r[count].bytes);
}
