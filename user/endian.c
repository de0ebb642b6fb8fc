// SPDX-License-Identifier: GPL-2.0
/* Recordings of a machine with the other byte order. */
#include <stddef.h>

#include "endian.h"

/* By value: the payload's structs are packed, and a pointer may be misaligned. */
static __u64 swap(__u64 value, size_t size)
{
	if (size == sizeof(__u16))
		return __builtin_bswap16(value);
	return size == sizeof(__u32) ? __builtin_bswap32(value) : __builtin_bswap64(value);
}

#define SWAP(field) ((field) = swap(field, sizeof(field)))

void tcphs_endian_header(struct tcphs_header *h)
{
	SWAP(h->byte_order);
	SWAP(h->abi_major);
	SWAP(h->abi_minor);
	SWAP(h->header_size);
	SWAP(h->record_size);
	SWAP(h->cpus);
	SWAP(h->ring_records);
	SWAP(h->session);
	SWAP(h->wall_offset);
	SWAP(h->loaded);
	SWAP(h->opened);
	SWAP(h->complete);
	SWAP(h->netns);
	SWAP(h->missing);
}

static void numbers(struct tcphs_numbers *nr)
{
	SWAP(nr->snd_nxt);
	SWAP(nr->snd_una);
	SWAP(nr->rcv_nxt);
	SWAP(nr->write_seq);
	SWAP(nr->iss);
	SWAP(nr->irs);
}

static void transition(struct tcphs_transition *t)
{
	if (t->has & TCPHS_HAS_BIRTH) {
		SWAP(t->birth.cgroup);
		SWAP(t->birth.mark);
		SWAP(t->birth.backlog);
	} else {
		struct tcphs_numbers nr = t->nr;

		numbers(&nr);
		t->nr = nr;
	}
	SWAP(t->pid);
	SWAP(t->uid);
	if (t->via == TCPHS_VIA_REQUEST) {
		struct tcphs_queues q = t->queues;

		SWAP(q.listener);
		SWAP(q.drops);
		SWAP(q.syns);
		SWAP(q.accepts);
		t->queues = q;
	}
	SWAP(t->error);
	SWAP(t->unread);
}

static void destroy(struct tcphs_destroy *d)
{
	SWAP(d->retransmits);
	SWAP(d->bytes_sent);
	SWAP(d->bytes_acked);
	SWAP(d->bytes_received);
	SWAP(d->segs_in);
	SWAP(d->segs_out);
	SWAP(d->data_segs_in);
	SWAP(d->data_segs_out);
	SWAP(d->drops);
	SWAP(d->rtt_us);
	SWAP(d->min_rtt_us);
	SWAP(d->bytes_retrans);
}

void tcphs_endian_record(struct tcphs_record *r)
{
	SWAP(r->ts);
	SWAP(r->n);
	SWAP(r->sock);
	SWAP(r->netns);
	SWAP(r->cpu);
	SWAP(r->sport);
	SWAP(r->dport);
	switch (r->kind) {
	case TCPHS_TRANSITION:
		transition(&r->transition);
		break;
	case TCPHS_SEGMENT:
		SWAP(r->segment.seq);
		SWAP(r->segment.ack);
		SWAP(r->segment.len);
		SWAP(r->segment.win);
		SWAP(r->segment.urg);
		break;
	case TCPHS_RESET:
		SWAP(r->reset.unread);
		SWAP(r->reset.error);
		numbers(&r->reset.nr);
		SWAP(r->reset.pid);
		SWAP(r->reset.uid);
		break;
	case TCPHS_DESTROY:
		destroy(&r->destroy);
		break;
	case TCPHS_LOST:
		SWAP(r->lost.count);
		SWAP(r->lost.since);
		SWAP(r->lost.until);
		break;
	case TCPHS_ACCEPT:
		SWAP(r->accept.cgroup);
		SWAP(r->accept.listener);
		SWAP(r->accept.mark);
		SWAP(r->accept.pid);
		SWAP(r->accept.uid);
		break;
	}
}
