// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "caption.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "packet.h"
#include "pcapng.h"
#include "text.h"

/* So many hosts are named. */
enum { OS = 80, NAMED = 16, NAMES = (NAMED + 1) * 66 };

/* A packet's block that waits for older ones. */
struct waiting {
	uint64_t ts;
	uint64_t order;		/* of equal times */
	uint8_t *block;
	size_t size;
};

struct tcphs_capture {
	FILE *to;
	int64_t wall_offset;
	char os[OS];		/* "": not one for all */
	struct place {
		const struct tcphs_host *host;
		uint32_t netns;
	} *place;		/* one interface each */
	size_t interfaces;
	size_t interface_room;
	struct waiting *heap;
	size_t count;
	size_t room;
	uint64_t packets;
};

/* What is said of one packet. */
struct comments {
	char **text;
	size_t count;
	size_t room;
};

static const char synthetic[] =
	"synthetic: made by tcphs from recorded headers; no payload was captured";

/* ---- the heap, oldest first ----------------------------------------------- */

static bool older(const struct waiting *a, const struct waiting *b)
{
	return a->ts != b->ts ? a->ts < b->ts : a->order < b->order;
}

static void push(struct tcphs_capture *p, const struct waiting *w)
{
	size_t i, parent;

	p->heap = tcphs_memory_grow(p->heap, p->count, &p->room, sizeof(*p->heap));
	for (i = p->count++; i; i = parent) {
		parent = (i - 1) / 2;
		if (!older(w, &p->heap[parent]))
			break;
		p->heap[i] = p->heap[parent];
	}
	p->heap[i] = *w;
}

static struct waiting pop(struct tcphs_capture *p)
{
	struct waiting top = p->heap[0], last = p->heap[--p->count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < p->count) {
		if (child + 1 < p->count && older(&p->heap[child + 1], &p->heap[child]))
			child++;
		if (!older(&p->heap[child], &last))
			break;
		p->heap[i] = p->heap[child];
		i = child;
	}
	p->heap[i] = last;
	return top;
}

/* Write the packets before `ts`. */
static void write_before(struct tcphs_capture *p, uint64_t ts)
{
	while (p->count && p->heap[0].ts < ts) {
		struct waiting w = pop(p);

		fwrite(w.block, 1, w.size, p->to);
		free(w.block);
	}
}

/* ---- section and interfaces ----------------------------------------------- */

static void write_blocks(struct tcphs_capture *p, struct tcphs_pcapng *blocks)
{
	fwrite(blocks->data, 1, blocks->used, p->to);
	free(blocks->data);
}

static void name_os(const char *release, char text[OS])
{
	snprintf(text, OS, "Linux%s%s", *release ? " " : "", release);
}

/* "host alpha", "hosts alpha, beta" */
static void name_hosts(const struct tcphs_header *h, const struct tcphs_hosts *hosts,
		       char text[NAMES])
{
	char name[sizeof(h->hostname)];
	size_t i;

	*text = '\0';
	if (!tcphs_host_several(hosts)) {
		tcphs_caption_clean(h->hostname, name, sizeof(name));
		tcphs_text_append(text, NAMES, "host %s", *name ? name : "?");
		return;
	}
	for (i = 0; i < hosts->count && i < NAMED; i++)
		tcphs_text_append(text, NAMES, "%s %s", i ? "," : "hosts",
				  *hosts->host[i].name ? hosts->host[i].name : "?");
	if (i < hosts->count)
		tcphs_text_append(text, NAMES, " and %zu more", hosts->count - i);
}

struct tcphs_capture *tcphs_capture_new(FILE *to, const struct tcphs_header *h,
					const struct tcphs_hosts *hosts,
					const char *application)
{
	struct tcphs_capture *p = tcphs_memory_get(1, sizeof(*p));
	char names[NAMES], release[sizeof(h->release)], text[NAMES + 512];
	bool several = tcphs_host_several(hosts);
	struct tcphs_pcapng blocks = { 0 };

	p->to = to;
	p->wall_offset = h->wall_offset;
	name_hosts(h, hosts, names);
	tcphs_caption_clean(h->release, release, sizeof(release));
	if (!several)
		name_os(release, p->os);
	snprintf(text, sizeof(text),
		 "recorded by the kernel module tcphs on %s; each packet is "
		 "made from a recorded TCP header. Not recorded, and made up: IP's "
		 "hop limit, identification and traffic class; 0: the TCP checksum "
		 "of segments with payload. A segment between two sockets of %s "
		 "is one packet, as it was sent.", names,
		 several ? "these hosts" : "this host");
	tcphs_pcapng_section(&blocks, p->os, application, text);
	write_blocks(p, &blocks);
	return p;
}

/* The interface of a network namespace, without `c` of none; its block precedes its first packet. */
static uint32_t find_interface(struct tcphs_capture *p, const struct tcphs_connection *c,
			       const struct tcphs_side *s)
{
	static const struct tcphs_connection none;

	struct tcphs_pcapng blocks = { 0 };
	char name[TCPHS_CAPTION_SIZE], os[OS] = "";
	size_t i;

	if (!c) {
		c = &none;
		s = &none.side[0];
	}
	for (i = 0; i < p->interfaces; i++)
		if (p->place[i].netns == s->netns && p->place[i].host == s->host)
			return i;
	p->place = tcphs_memory_grow(p->place, p->interfaces, &p->interface_room,
				     sizeof(*p->place));
	p->place[p->interfaces] = (struct place){ s->host, s->netns };
	tcphs_caption_place(c, s, name);
	if (s->host)
		name_os(s->host->release, os);
	tcphs_pcapng_interface(&blocks, *name ? name : "netns unknown",
			       "TCP of a network namespace", *os ? os : p->os);
	write_blocks(p, &blocks);
	return p->interfaces++;
}

/* ---- comments ------------------------------------------------------------- */

static void say(struct comments *o, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct comments *o, const char *format, ...)
{
	char text[6 * TCPHS_CAPTION_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	o->text = tcphs_memory_grow(o->text, o->count, &o->room, sizeof(*o->text));
	o->text[o->count++] = tcphs_memory_text(text);
}

static void forget(struct comments *o)
{
	while (o->count)
		free(o->text[--o->count]);
	free(o->text);
	memset(o, 0, sizeof(*o));
}

enum { NAME = 2 * TCPHS_CAPTION_SIZE + 64 };

/* "client (curl/211)", "server (netns 4026532281)" */
static void name_side(const struct tcphs_connection *c, unsigned int side, bool netns,
		      char *text)
{
	const struct tcphs_side *s = &c->side[side];
	char owner[TCPHS_CAPTION_SIZE] = "", place[TCPHS_CAPTION_SIZE];

	if (s->socket)
		tcphs_caption_owner(c, s, owner);
	tcphs_caption_place(c, s, place);
	if (netns && *place)
		snprintf(text, NAME, "%s (%s%s%s)", tcphs_caption_side(side), owner,
			 *owner ? ", " : "", place);
	else if (*owner)
		snprintf(text, NAME, "%s (%s)", tcphs_caption_side(side), owner);
	else
		snprintf(text, NAME, "%s", tcphs_caption_side(side));
}

/* Which end saw it, and when the other one did, or that it never came. */
static void say_way(struct comments *o, const struct tcphs_connection *c,
		    const struct tcphs_step *step)
{
	bool netns = c->side[0].netns != c->side[1].netns ||
		     c->side[0].host != c->side[1].host;
	char from[NAME], to[NAME], span[TCPHS_NUMBER_SIZE];

	name_side(c, step->from, netns, from);
	name_side(c, !step->from, netns, to);
	if (step->sent && step->received < step->sent && step->received)
		say(o, "sent by the %s, received by the %s", from, to);
	else if (step->sent && step->received)
		say(o, "sent by the %s, received by the %s %s later", from, to,
		    tcphs_number_span(step->received - step->sent, span));
	else if (step->lost)
		say(o, "sent by the %s, not received by the %s", from, to);
	else if (step->sent)
		say(o, "sent by the %s", from);
	else if (c->side[step->from].seen)
		say(o, "received by the %s, not seen when it was sent", to);
	else
		say(o, "received by the %s", to);
}

/* "client SYN_SENT → ESTABLISHED"; `before` is put before it. */
static void say_states(struct comments *o, const struct tcphs_connection *c,
		       const struct tcphs_step *step, const char *before)
{
	unsigned int side;
	uint32_t i;

	for (side = 0; side < 2; side++) {
		const struct tcphs_entered *e = &step->entered[side];

		for (i = e->begin; i < e->begin + e->count; i++) {
			const struct tcphs_stay *stay = &c->side[side].states[i];
			const char *was = i ? tcphs_names_state(stay[-1].state) : NULL;
			const char *now = tcphs_names_state(stay->state);

			say(o, "%s%s %s → %s", before, tcphs_caption_side(side),
			    was ? was : "?", now ? now : "?");
		}
	}
}

static void say_marks(struct comments *o, const struct tcphs_segment *s)
{
	if (s->mark & TCPHS_SEG_RETRANSMIT)
		say(o, "mark: retransmission");
	if (s->mark & TCPHS_SEG_COOKIE)
		say(o, "mark: SYN cookie");
	if (s->mark & TCPHS_SEG_MINI)
		say(o, "mark: the local end is a request or TIME_WAIT mini-socket");
	if (s->mark & TCPHS_SEG_NO_SOCKET)
		say(o, "mark: sent for no connection");
	if (s->mark & TCPHS_SEG_ACCEPT_FULL)
		say(o, "mark: the accept queue was full");
}

/* ---- packets -------------------------------------------------------------- */

static void make_packet(struct tcphs_capture *p, const struct tcphs_connection *c,
			const struct tcphs_step *step, struct comments *o)
{
	const struct tcphs_side *from = &c->side[step->from], *to = &c->side[!step->from];
	const struct tcphs_packet_ends ends = {
		.from = from->address,
		.to = to->address,
		.from_port = from->port,
		.to_port = to->port,
		.inet6 = from->inet6,
		.sent = step->sent,
	};
	uint8_t bytes[TCPHS_PACKET_MAX];
	size_t size = tcphs_packet_make(&ends, &step->segment, bytes);
	struct tcphs_pcapng block = { 0 };
	int64_t wall = (int64_t)(step->ts + (uint64_t)p->wall_offset);
	struct waiting w = { .ts = step->ts, .order = p->packets++ };

	say(o, "%s", synthetic);
	tcphs_pcapng_packet(&block, &(struct tcphs_pcapng_packet){
		.interface = find_interface(p, c, step->sent ? from : to),
		.way = step->sent ? TCPHS_PCAPNG_OUTBOUND : TCPHS_PCAPNG_INBOUND,
		.time = wall > 0 ? wall : 0,
		.data = bytes,
		.captured = size,
		.original = (uint64_t)size + step->segment.len > UINT32_MAX ?
			UINT32_MAX : size + step->segment.len,
		.comments = (const char *const *)o->text,
		.ncomments = o->count,
	});
	w.block = block.data;
	w.size = block.used;
	push(p, &w);
	forget(o);
}

/* What happened without a segment, at the packet before it (or the first one). */
static void say_event(struct comments *o, const struct tcphs_connection *c,
		      const struct tcphs_step *step, const struct tcphs_step *packet)
{
	char before[64] = "before it: ", span[TCPHS_NUMBER_SIZE];

	if (packet)
		snprintf(before, sizeof(before), "%s later: ",
			 tcphs_number_span(step->ts - packet->ts, span));
	say_states(o, c, step, before);
	if (step->kind == TCPHS_STEP_RESET)
		say(o, "%sRST %s by the %s, its header was not recorded", before,
		    step->sent ? "sent" : "received",
		    tcphs_caption_side(step->sent ? step->from : !step->from));
	if (step->note)
		say(o, "%s%s", before, step->note);
}

void tcphs_capture_connection(struct tcphs_capture *p,
			      const struct tcphs_connection *c, unsigned long number)
{
	const struct tcphs_step *packet = NULL;
	char text[TCPHS_CAPTION_SIZE], bytes[TCPHS_CAPTION_SIZE];
	struct comments o = { 0 };
	size_t i;

	write_before(p, c->start);
	tcphs_caption_bytes(c, bytes);
	say(&o, "connection %lu: %s%s%s", number, tcphs_caption_verdict(c, text),
	    *bytes ? "; sent: " : "", bytes);
	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind != TCPHS_STEP_SEGMENT) {
			say_event(&o, c, step, packet);
			continue;
		}
		if (packet)
			make_packet(p, c, packet, &o);
		packet = step;
		say_way(&o, c, step);
		say_states(&o, c, step, "");
		if (step->note)
			say(&o, "%s", step->note);
		say_marks(&o, &step->segment);
	}
	if (packet)
		make_packet(p, c, packet, &o);
	forget(&o);
}

uint64_t tcphs_capture_finish(struct tcphs_capture *p)
{
	uint64_t packets = p->packets;

	/* libpcap takes no file without. */
	if (!p->interfaces)
		find_interface(p, NULL, NULL);
	write_before(p, UINT64_MAX);
	/* A ts of UINT64_MAX, which only a damaged record has. */
	while (p->count) {
		struct waiting w = pop(p);

		fwrite(w.block, 1, w.size, p->to);
		free(w.block);
	}
	free(p->heap);
	free(p->place);
	free(p);
	return packets;
}
