// SPDX-License-Identifier: GPL-2.0
/*
 * A recorded connection, many times: a recording of COUNT connections like it.
 *
 * usage: multiply RECORDING PORT COUNT GAP-NS HOLD-NS >NEW
 *
 * The first connection of IPv4 to PORT in RECORDING, with both its ends local, is
 * taken. Of its copies one begins every GAP-NS, each from another address and
 * port, with sockets, initial sequence numbers and times of its own; closing begins
 * HOLD-NS later than it did. What the end of a TIME_WAIT would have been comes 60 s
 * after its beginning. The listener is there from the first record to the last.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs.h>

#include "names.h"

enum { MODEL_MAX = 64, SOCKS_MAX = 8, FIRST_PORT = 1024, PORTS = 60000 };

#define SECOND 1000000000ULL

static struct tcphs_header header;
static struct tcphs_record model[MODEL_MAX];
static uint64_t offset[MODEL_MAX];
static size_t records;
static struct tcphs_record listener;

static bool is_whole(const struct tcphs_record *r)
{
	return r->kind != TCPHS_LOST && r->sport && r->dport &&
	       !(r->flags & (TCPHS_NO_LOCAL_PORT | TCPHS_NO_REMOTE | TCPHS_INET6));
}

static bool of_pair(const struct tcphs_record *r, uint16_t client, uint16_t port)
{
	return is_whole(r) && ((r->sport == client && r->dport == port) ||
			       (r->sport == port && r->dport == client));
}

/* Its own sockets: the name of one that has no whole tuple yet. */
static bool of_sock(const uint64_t *sock, size_t socks, uint64_t name)
{
	size_t i;

	for (i = 0; i < socks; i++)
		if (sock[i] == name)
			return true;
	return false;
}

static void add(const struct tcphs_record *r)
{
	if (records == MODEL_MAX)
		errx(1, "the connection has more than %d records", MODEL_MAX);
	model[records++] = *r;
}

static void find_model(const struct tcphs_record *r, size_t count, uint16_t port)
{
	uint64_t sock[SOCKS_MAX];
	size_t socks = 0, i, first;
	uint16_t client = 0;

	for (first = 0; first < count && !client; first++)
		if (is_whole(&r[first]) && r[first].dport == port &&
		    r[first].kind == TCPHS_SEGMENT)
			client = r[first].sport;
	if (!client)
		errx(1, "no connection to port %u", port);
	for (i = 0; i < count; i++)
		if (of_pair(&r[i], client, port) && r[i].sock && socks < SOCKS_MAX &&
		    r[i].kind != TCPHS_ACCEPT && !of_sock(sock, socks, r[i].sock) &&
		    !(r[i].kind == TCPHS_SEGMENT && r[i].segment.state == TCPHS_LISTEN))
			sock[socks++] = r[i].sock;
	for (i = 0; i < count; i++) {
		const struct tcphs_transition *t = &r[i].transition;

		if (r[i].kind == TCPHS_TRANSITION && r[i].sport == port && !listener.kind &&
		    t->new == TCPHS_LISTEN && !(r[i].flags & TCPHS_INET6))
			listener = r[i];
		/* A socket's memory is used again: births of this one only. */
		if (of_pair(&r[i], client, port) ||
		    (of_sock(sock, socks, r[i].sock) && !is_whole(&r[i]) &&
		     r[i].kind == TCPHS_TRANSITION && t->has & TCPHS_HAS_BIRTH &&
		     (r[i].sport == port || r[i].dport == port) &&
		     r[i].ts + SECOND > r[first].ts && r[i].ts < r[first].ts + SECOND))
			add(&r[i]);
	}
	if (!listener.kind)
		errx(1, "no listener of port %u", port);
}

/* The end of TIME_WAIT, if the recording ended before it. */
static void add_time_wait_end(void)
{
	const struct tcphs_record *begin = NULL;
	struct tcphs_record end;
	size_t i;

	for (i = 0; i < records; i++) {
		const struct tcphs_transition *t = &model[i].transition;

		if (model[i].kind != TCPHS_TRANSITION || t->via != TCPHS_VIA_TIMEWAIT)
			continue;
		if (t->new == TCPHS_TIME_WAIT)
			begin = &model[i];
		else if (t->old == TCPHS_TIME_WAIT)
			begin = NULL;
	}
	if (!begin)
		return;
	end = *begin;
	end.ts += 60 * SECOND;
	end.transition.old = TCPHS_TIME_WAIT;
	end.transition.new = TCPHS_CLOSE;
	add(&end);
}

/* Times from the beginning on; what comes after the opening is put off. */
static void find_offsets(uint64_t hold)
{
	bool closing = false;
	size_t i;

	for (i = 0; i < records; i++) {
		const struct tcphs_transition *t = &model[i].transition;

		if (model[i].kind == TCPHS_TRANSITION && (t->new == TCPHS_FIN_WAIT1 ||
							 t->old == TCPHS_ESTABLISHED))
			closing = true;
		offset[i] = model[i].ts - model[0].ts + (closing ? hold : 0);
	}
}

static void shift_numbers(struct tcphs_numbers *nr, unsigned int has, uint32_t own,
			  uint32_t other)
{
	if (has & TCPHS_HAS_SND_NXT)
		nr->snd_nxt += own;
	if (has & TCPHS_HAS_SND_UNA)
		nr->snd_una += own;
	if (has & TCPHS_HAS_WRITE_SEQ)
		nr->write_seq += own;
	if (has & TCPHS_HAS_ISS)
		nr->iss += own;
	if (has & TCPHS_HAS_RCV_NXT)
		nr->rcv_nxt += other;
	if (has & TCPHS_HAS_IRS)
		nr->irs += other;
}

static void put(const struct tcphs_record *r)
{
	static uint64_t n;
	struct tcphs_record copy = *r;

	copy.cpu = 0;
	copy.n = n++;
	if (fwrite(&copy, sizeof(copy), 1, stdout) != 1)
		err(1, "standard output");
}

/* Record k of the copy i. */
static void put_copy(uint64_t i, size_t k, uint64_t ts, uint16_t port)
{
	bool server = model[k].sport == port;
	uint32_t own = i * (server ? 104729 : 7919), other = i * (server ? 7919 : 104729);
	uint16_t client_port = FIRST_PORT + i % PORTS;
	struct tcphs_record r = model[k];
	uint64_t host = i / PORTS;

	r.ts = ts;
	if (r.sock)
		r.sock ^= (i + 1) * 0x9e3779b97f4a7c15ULL;
	if (server && r.dport && !(r.flags & TCPHS_NO_REMOTE)) {
		r.dport = client_port;
		r.daddr[1] = host >> 8;
		r.daddr[2] = host;
	} else if (!server && !(r.flags & TCPHS_NO_LOCAL_PORT)) {
		r.sport = client_port;
		r.saddr[1] = host >> 8;
		r.saddr[2] = host;
	}
	if (r.kind == TCPHS_TRANSITION && !(r.transition.has & TCPHS_HAS_BIRTH)) {
		struct tcphs_numbers nr = r.transition.nr;

		shift_numbers(&nr, r.transition.has, own, other);
		r.transition.nr = nr;
	} else if (r.kind == TCPHS_RESET) {
		shift_numbers(&r.reset.nr, r.reset.has, own, other);
	} else if (r.kind == TCPHS_SEGMENT) {
		bool out = r.segment.mark & TCPHS_SEG_OUT;

		r.segment.seq += out ? own : other;
		if (r.segment.flags & TCPHS_ACK)
			r.segment.ack += out ? other : own;
	}
	put(&r);
}

static void multiply(uint64_t count, uint64_t gap, uint16_t port)
{
	uint64_t next[MODEL_MAX] = { 0 }, last = listener.ts;
	struct tcphs_record end = listener;
	/* The listener's own record is before the first connection. */
	uint64_t begin = model[0].ts;
	size_t k, first;

	if (fwrite(&header, sizeof(header), 1, stdout) != 1)
		err(1, "standard output");
	put(&listener);
	for (;;) {
		uint64_t ts = UINT64_MAX, at;

		for (first = k = 0; k < records; k++) {
			at = begin + next[k] * gap + offset[k];
			if (next[k] < count && at < ts) {
				ts = at;
				first = k;
			}
		}
		if (ts == UINT64_MAX)
			break;
		put_copy(next[first]++, first, ts, port);
		last = ts;
	}
	end.ts = last;
	end.transition.old = TCPHS_LISTEN;
	end.transition.new = TCPHS_CLOSE;
	end.transition.has &= ~TCPHS_HAS_BIRTH;
	memset(&end.transition.nr, 0, sizeof(end.transition.nr));
	put(&end);
	if (fflush(stdout))
		err(1, "standard output");
}

int main(int argc, char **argv)
{
	static struct tcphs_record read[65536];
	size_t count;
	FILE *file;

	if (argc != 6)
		errx(2, "usage: multiply RECORDING PORT COUNT GAP-NS HOLD-NS >NEW");
	file = fopen(argv[1], "re");
	if (!file || fread(&header, sizeof(header), 1, file) != 1)
		err(1, "%s", argv[1]);
	if (header.byte_order != TCPHS_BYTE_ORDER || header.header_size != sizeof(header) ||
	    header.record_size != sizeof(*read))
		errx(1, "%s: not of this machine and version", argv[1]);
	count = fread(read, sizeof(*read), sizeof(read) / sizeof(*read), file);
	fclose(file);
	header.cpus = 1;
	header.complete = 0;
	find_model(read, count, atoi(argv[2]));
	add_time_wait_end();
	find_offsets(strtoull(argv[5], NULL, 10));
	multiply(strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10), atoi(argv[2]));
	return 0;
}
