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

#define OPTIONS_MAX	sizeof_field(struct tcphs_segment, options)

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

/* The numbers stand in the order of their bits. */
static void numbers_seal(struct tcphs_numbers *nr, u8 has)
{
	u32 *number = (u32 *)nr;
	unsigned int i;

	static_assert(TCPHS_HAS_SND_NXT == 1 << 0 && TCPHS_HAS_IRS == 1 << 5);
	static_assert(offsetof(struct tcphs_numbers, snd_nxt) == 0);
	static_assert(offsetof(struct tcphs_numbers, irs) == 5 * sizeof(u32));
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

static void segment_seal(struct tcphs_record *record)
{
	const struct tcphs_raw_segment raw = *tcphs_record_raw(record);
	unsigned int size = record->flags & TCPHS_INET6 ? 16 : 4;
	struct tcphs_segment *s = &record->segment;
	bool out = raw.mark & TCPHS_SEG_OUT;
	unsigned int words, len;

	/* Of a segment that came the source is the remote end. */
	memcpy(out ? record->saddr : record->daddr, raw.addresses, size);
	memcpy(out ? record->daddr : record->saddr, raw.addresses + size, size);
	record->sport = ntohs(out ? raw.source : raw.dest);
	record->dport = ntohs(out ? raw.dest : raw.source);
	s->mark = raw.mark;
	s->state = raw.state;
	s->offset = raw.offset;
	s->flags = raw.flags;
	s->seq = ntohl(raw.seq);
	s->ack = ntohl(raw.ack);
	s->len = raw.len;
	s->win = ntohs(raw.win);
	s->urg = ntohs(raw.urg);
	words = raw.offset >> 4;
	len = words > 5 ? (words - 5) * 4 : 0;
	memcpy(s->options, raw.options, len);
	memset(s->options + len, 0, OPTIONS_MAX - len);
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
	if (!(record->flags & TCPHS_INET6)) {
		memset(record->saddr + 4, 0, sizeof(record->saddr) - 4);
		memset(record->daddr + 4, 0, sizeof(record->daddr) - 4);
	}
	switch (record->kind) {
	case TCPHS_TRANSITION:
		transition_seal(&record->transition, names);
		if (record->transition.via == TCPHS_VIA_TRACEPOINT)
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
