// SPDX-License-Identifier: GPL-2.0
/*
 * From what a writer left in a slot to a record that may leave the kernel: see
 * record.h. Everything that the record's bits do not vouch for becomes zero: no
 * address of the kernel, payload or older record gets out.
 */
#include <linux/build_bug.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/tcp.h>

#include "identity.h"
#include "record.h"

#define OPTIONS_WORDS	(sizeof_field(struct tcphs_segment, options) / 4)

static_assert(offsetof(struct tcphs_record, saddr) +
	      sizeof(struct tcphs_raw_segment) == sizeof(struct tcphs_record));
static_assert(offsetof(struct tcphs_raw_segment, options) ==
	      offsetof(struct tcphs_raw_segment, header) +
	      sizeof(struct tcphdr));

/* The name of the socket at an address; 0 stands for none. */
static u64 name_of(struct tcphs_names *names, u64 address)
{
	struct tcphs_name *entry;

	if (!address)
		return 0;
	entry = &names->entry[hash_64(address, TCPHS_NAMES_BITS)];
	if (entry->address != address) {
		entry->name = tcphs_identity_name(address);
		entry->address = address;
	}
	return entry->name;
}

#define NUMBERS		(TCPHS_HAS_SND_NXT | TCPHS_HAS_SND_UNA | \
			 TCPHS_HAS_RCV_NXT | TCPHS_HAS_WRITE_SEQ | \
			 TCPHS_HAS_ISS | TCPHS_HAS_IRS)

/* The numbers stand in the order of their bits. */
static void numbers_seal(struct tcphs_numbers *nr, u8 has)
{
	u32 *number = (u32 *)nr;
	unsigned int i;

	static_assert(TCPHS_HAS_SND_NXT == 1 << 0 && TCPHS_HAS_IRS == 1 << 5);
	static_assert(offsetof(struct tcphs_numbers, snd_nxt) == 0);
	static_assert(offsetof(struct tcphs_numbers, irs) == 5 * sizeof(u32));
	if ((has & NUMBERS) == NUMBERS)
		return;
	for (i = 0; i < sizeof(*nr) / sizeof(u32); i++)
		if (!(has & 1 << i))
			number[i] = 0;
}

static void owner_seal(u32 *pid, char *comm, u8 has)
{
	if (has & TCPHS_HAS_OWNER) {
		comm[TASK_COMM_LEN - 1] = '\0';
		return;
	}
	*pid = 0;
	memset(comm, 0, TASK_COMM_LEN);
}

/*
 * The child's first event: newer kernels (7.2, not 6.12) have set its ends. Before,
 * its remote end is the listener's, that is none; its local port is the
 * listener's and right, its address may be any.
 */
static void child_seal(struct tcphs_record *record)
{
	if (!record->dport)
		memset(record->daddr, 0, sizeof(record->daddr));
}

static void transition_seal(struct tcphs_transition *t,
			    struct tcphs_names *names)
{
	if (t->has & TCPHS_HAS_BIRTH)
		memset(t->birth.__pad, 0, sizeof(t->birth.__pad));
	else
		numbers_seal(&t->nr, t->has);
	if (t->via == TCPHS_VIA_REQUEST) {
		t->pid = 0;
		t->queues.listener = name_of(names, t->queues.listener);
	} else {
		owner_seal(&t->pid, t->comm, t->has);
	}
	if (t->new != TCPHS_CLOSE) {
		t->error = 0;
		t->fact = 0;
		t->timeouts = 0;
		t->unread = 0;
	}
}

/* From the order of the header, source first, to local and remote end. */
static void addresses_seal(struct tcphs_record *record, bool out)
{
	u64 half[4];

	memcpy(half, tcphs_record_raw(record)->addresses, sizeof(half));
	if (record->flags & TCPHS_INET6) {
		memcpy(record->saddr, half + (out ? 0 : 2), 16);
		memcpy(record->daddr, half + (out ? 2 : 0), 16);
		return;
	}
	memcpy(record->saddr, (u8 *)half + (out ? 0 : 4), 4);
	memcpy(record->daddr, (u8 *)half + (out ? 4 : 0), 4);
}

/*
 * Numbers and options already stand where they belong; the rest changes places. Of
 * a segment that came the source is the remote end.
 */
static void segment_seal(struct tcphs_record *record)
{
	const struct tcphs_raw_segment *raw = tcphs_record_raw(record);
	u16 source = ntohs(raw->source), dest = ntohs(raw->dest);
	u16 win = ntohs(raw->win), urg = ntohs(raw->urg);
	unsigned int words = raw->offset >> 4, i;
	struct tcphs_segment *s = &record->segment;
	u8 offset = raw->offset, flags = raw->flags;
	u8 mark = raw->mark, state = raw->state;
	bool out = mark & TCPHS_SEG_OUT;
	u32 len = raw->len;

	static_assert(offsetof(struct tcphs_raw_segment, options) ==
		      offsetof(struct tcphs_record, segment.options) -
		      offsetof(struct tcphs_record, saddr));
	addresses_seal(record, out);
	record->sport = out ? source : dest;
	record->dport = out ? dest : source;
	s->mark = mark;
	s->state = state;
	s->offset = offset;
	s->flags = flags;
	s->seq = ntohl((__force __be32)s->seq);
	s->ack = ntohl((__force __be32)s->ack);
	s->len = len;
	s->win = win;
	s->urg = urg;
	for (i = max(words, 5U) - 5; i < OPTIONS_WORDS; i++)
		memset(s->options + i * 4, 0, 4);
}

/* A socket's IPv4 addresses: see tcphs_identity_addresses(). */
static void ends_seal(struct tcphs_record *record)
{
	if (!(record->flags & TCPHS_INET6)) {
		memcpy(record->daddr, record->saddr, 4);
		memcpy(record->saddr, record->saddr + 4, 4);
	}
	record->sport = ntohs((__force __be16)record->sport);
	record->dport = ntohs((__force __be16)record->dport);
}

/* Sockets have their ports one after the other, and may lose them again. */
static void ports_seal(struct tcphs_record *record)
{
	if (!record->sport)
		record->flags |= TCPHS_NO_LOCAL_PORT;
	if (!record->dport)
		record->flags |= TCPHS_NO_REMOTE;
}

/**
 * tcphs_record_seal() - make a copy of a slot fit to leave the kernel
 * @record: the copy
 * @names: of the reader; all zero at first
 */
void tcphs_record_seal(struct tcphs_record *record, struct tcphs_names *names)
{
	record->sock = name_of(names, record->sock);
	if (record->kind == TCPHS_SEGMENT)
		segment_seal(record);
	else
		ends_seal(record);
	if (!(record->flags & TCPHS_INET6)) {
		memset(record->saddr + 4, 0, sizeof(record->saddr) - 4);
		memset(record->daddr + 4, 0, sizeof(record->daddr) - 4);
	}
	switch (record->kind) {
	case TCPHS_TRANSITION:
		transition_seal(&record->transition, names);
		if (record->transition.via != TCPHS_VIA_TRACEPOINT)
			break;
		if (record->transition.old == TCPHS_LISTEN)
			child_seal(record);
		ports_seal(record);
		break;
	case TCPHS_SEGMENT:
		break;
	case TCPHS_RESET:
		numbers_seal(&record->reset.nr, record->reset.has);
		owner_seal(&record->reset.pid, record->reset.comm,
			   record->reset.has);
		ports_seal(record);
		break;
	default:
		ports_seal(record);
		break;
	}
}
