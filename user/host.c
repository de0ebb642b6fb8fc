// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "memory.h"
#include "number.h"

/* Two readings of both clocks of one boot differ by less. */
#define SAME_CLOCK 1000000LL

struct tcphs_place {
	uint32_t id;
	uint32_t netns;
};

static void set_boot(char text[37], const uint8_t *byte)
{
	size_t i, used = 0;

	text[0] = '\0';
	for (i = 0; i < 16 && !byte[i]; i++)
		;
	if (i == 16)
		return;
	for (i = 0; i < 16; i++)
		used += sprintf(text + used, "%s%02x",
				i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", byte[i]);
}

/* Both have room for 64 bytes. */
static void set_text(char *to, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < sizeof(((struct tcphs_header *)0)->hostname) && from[i]; i++)
		to[i] = from[i] < 0x20 || from[i] > 0x7e ? '?' : from[i];
}

void tcphs_host_set(struct tcphs_host *host, const struct tcphs_header *h)
{
	memset(host, 0, sizeof(*host));
	set_text(host->name, h->hostname);
	set_text(host->release, h->release);
	set_boot(host->boot, h->boot);
	host->session = h->session;
	host->segments = h->segments;
	host->missing = h->missing;
	host->wall_offset = h->wall_offset;
}

bool tcphs_host_same(const struct tcphs_header *a, const struct tcphs_header *b)
{
	static const uint8_t unknown[sizeof(a->boot)];
	int64_t apart = (int64_t)((uint64_t)a->wall_offset - (uint64_t)b->wall_offset);

	if (a->session == b->session)
		return true;
	if (memcmp(a->boot, unknown, sizeof(unknown)) &&
	    memcmp(b->boot, unknown, sizeof(unknown)))
		return !memcmp(a->boot, b->boot, sizeof(a->boot));
	return !strcmp(a->hostname, b->hostname) && apart > -SAME_CLOCK &&
	       apart < SAME_CLOCK;
}

/* ---- places --------------------------------------------------------------- */

static uint32_t host_bits(size_t host)
{
	return (uint32_t)(host + 1) << TCPHS_HOST_SHIFT;
}

uint32_t tcphs_host_place(struct tcphs_hosts *hosts, size_t host, uint32_t netns)
{
	uint32_t id = host_bits(host) | (hosts->places + 1);
	size_t i;

	for (i = 0; i < hosts->places; i++)
		if (hosts->place[i].netns == netns &&
		    !tcphs_host_differs(hosts->place[i].id, id))
			return hosts->place[i].id;
	hosts->place = tcphs_memory_grow(hosts->place, hosts->places, &hosts->room,
					 sizeof(*hosts->place));
	hosts->place[hosts->places++] = (struct tcphs_place){ id, netns };
	return id;
}

/* NULL: no such place. */
static const struct tcphs_place *find(const struct tcphs_hosts *hosts, uint32_t id)
{
	size_t index = id & ((1U << TCPHS_HOST_SHIFT) - 1);

	return index && index <= hosts->places ? &hosts->place[index - 1] : NULL;
}

bool tcphs_host_several(const struct tcphs_hosts *hosts)
{
	return hosts && hosts->count > 1;
}

const struct tcphs_host *tcphs_host_of(const struct tcphs_hosts *hosts, uint32_t place)
{
	if (!hosts || !hosts->count)
		return NULL;
	if (hosts->count == 1)
		return &hosts->host[0];
	return find(hosts, place) ? &hosts->host[(place >> TCPHS_HOST_SHIFT) - 1] : NULL;
}

uint32_t tcphs_host_netns(const struct tcphs_hosts *hosts, uint32_t place)
{
	const struct tcphs_place *p;

	if (!tcphs_host_several(hosts))
		return place;
	p = find(hosts, place);
	return p ? p->netns : 0;
}

/* ---- names of sockets ----------------------------------------------------- */

void tcphs_host_rename(struct tcphs_record *r, uint64_t key)
{
	/* 0 names nobody. */
	if (r->sock)
		r->sock ^= key;
	if (r->kind == TCPHS_ACCEPT && r->accept.listener)
		r->accept.listener ^= key;
	if (r->kind == TCPHS_TRANSITION && r->transition.via == TCPHS_VIA_REQUEST &&
	    r->transition.queues.listener)
		r->transition.queues.listener ^= key;
}

/* ---- times of doubt ------------------------------------------------------- */

void tcphs_host_doubt(struct tcphs_hosts *hosts, size_t host, uint64_t since,
		      uint64_t until)
{
	if (since >= until)
		return;
	hosts->doubt = tcphs_memory_grow(hosts->doubt, hosts->doubts, &hosts->doubts_room,
					 sizeof(*hosts->doubt));
	hosts->doubt[hosts->doubts++] = (struct tcphs_doubt){
		.host = host,
		.since = tcphs_host_time(hosts, host, since),
		.until = tcphs_host_time(hosts, host, until),
	};
}

bool tcphs_host_is_doubtful(const struct tcphs_hosts *hosts, uint32_t place, uint64_t ts)
{
	size_t i;

	for (i = 0; i < hosts->doubts; i++) {
		const struct tcphs_doubt *d = &hosts->doubt[i];

		if (ts >= d->since && ts < d->until &&
		    tcphs_host_of(hosts, place) == &hosts->host[d->host])
			return true;
	}
	return false;
}

/* ---- clocks --------------------------------------------------------------- */

uint64_t tcphs_host_time(const struct tcphs_hosts *hosts, size_t host, uint64_t ts)
{
	struct tcphs_align_clock clock = hosts->host[host].clock;

	clock.offset += hosts->shift;
	return tcphs_align_time(&clock, ts);
}

int64_t tcphs_host_wall(const struct tcphs_hosts *hosts)
{
	/* Its own clock's for one host, the first one's for several. */
	if (!hosts || !hosts->count || !hosts->host[0].wall_offset)
		return 0;
	return hosts->host[0].wall_offset - (int64_t)hosts->shift;
}

uint64_t tcphs_host_error(const struct tcphs_hosts *hosts, const struct tcphs_host *a,
			  const struct tcphs_host *b)
{
	if (!a || !b)
		return UINT64_MAX;
	if (a == b)
		return 0;
	return tcphs_align_error(hosts->align, a - hosts->host, b - hosts->host);
}

char *tcphs_host_text(const struct tcphs_hosts *hosts, size_t i, char text[TCPHS_HOST_TEXT])
{
	const struct tcphs_host *host = &hosts->host[i];
	const struct tcphs_align_clock *c = &host->clock;
	char error[TCPHS_NUMBER_SIZE], drift[48] = "";

	if (c->drift)
		snprintf(drift, sizeof(drift), ", drift %+.1f ppm", c->drift * 1e6);
	switch (c->how) {
	case TCPHS_ALIGN_REFERENCE:
		snprintf(text, TCPHS_HOST_TEXT, "%s: its clock", host->name);
		break;
	case TCPHS_ALIGN_EXCHANGE:
		snprintf(text, TCPHS_HOST_TEXT,
			 "%s: %+.9f s%s, off by %s %s, from %" PRIu64 " segment%s%s",
			 host->name, c->offset / 1e9, drift,
			 c->uneven ? "up to" : "at most",
			 tcphs_number_span(c->error, error), c->segments,
			 tcphs_number_plural(c->segments),
			 c->uneven ? " that contradict each other: a clock ran unevenly" : "");
		break;
	case TCPHS_ALIGN_WALL:
		snprintf(text, TCPHS_HOST_TEXT,
			 "%s: %+.9f s by the wall clocks, error unknown: %s",
			 host->name, c->offset / 1e9,
			 c->segments ? "segments went one way only" :
				       "no segment between it and the others was recorded");
		break;
	}
	return text;
}

void tcphs_host_free(struct tcphs_hosts *hosts)
{
	tcphs_align_free(hosts->align);
	free(hosts->host);
	free(hosts->place);
	free(hosts->doubt);
	memset(hosts, 0, sizeof(*hosts));
}
