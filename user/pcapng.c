// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "pcapng.h"

enum {
	SECTION = 0x0a0d0d0a,
	INTERFACE = 1,
	PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINKTYPE_LINUX_SLL = 113,

	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_OS = 3,
	SHB_APPLICATION = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	IF_OS = 12,
	EPB_FLAGS = 2,
};

/* ---- bytes ---------------------------------------------------------------- */

static void put(struct tcphs_pcapng *p, const void *bytes, size_t size)
{
	if (p->room - p->used < size) {
		size_t room = p->room ? p->room : 1024;
		uint8_t *data;

		while (room - p->used < size)
			room *= 2;
		data = tcphs_memory_get(1, room);
		if (p->used)
			memcpy(data, p->data, p->used);
		free(p->data);
		p->data = data;
		p->room = room;
	}
	memcpy(p->data + p->used, bytes, size);
	p->used += size;
}

static void put16(struct tcphs_pcapng *p, uint16_t value)
{
	put(p, &value, sizeof(value));
}

static void put32(struct tcphs_pcapng *p, uint32_t value)
{
	put(p, &value, sizeof(value));
}

/* Everything is padded to 4 bytes. */
static void pad(struct tcphs_pcapng *p, size_t size)
{
	static const uint8_t zero[4];

	put(p, zero, -size & 3);
}

/* ---- options -------------------------------------------------------------- */

static void option(struct tcphs_pcapng *p, uint16_t code, const void *value, size_t size)
{
	put16(p, code);
	put16(p, size);
	put(p, value, size);
	pad(p, size);
}

static void text(struct tcphs_pcapng *p, uint16_t code, const char *value)
{
	size_t size;

	if (!value || !*value)
		return;
	size = strlen(value);
	if (size > TCPHS_PCAPNG_TEXT_MAX) {
		size = TCPHS_PCAPNG_TEXT_MAX;
		/* Not in the middle of a character. */
		while ((value[size] & 0xc0) == 0x80)
			size--;
	}
	option(p, code, value, size);
}

/* ---- blocks --------------------------------------------------------------- */

/* Where the block begins, for end(). */
static size_t begin(struct tcphs_pcapng *p, uint32_t type)
{
	size_t at = p->used;

	put32(p, type);
	put32(p, 0);
	return at;
}

static void end(struct tcphs_pcapng *p, size_t at)
{
	uint32_t size;

	put32(p, OPT_END);
	size = p->used + 4 - at;
	put32(p, size);
	memcpy(p->data + at + 4, &size, sizeof(size));
}

void tcphs_pcapng_section(struct tcphs_pcapng *p, const char *os,
			  const char *application, const char *comment)
{
	size_t at = begin(p, SECTION);

	put32(p, BYTE_ORDER_MAGIC);
	put16(p, 1);
	put16(p, 0);
	/* The section's length is not known beforehand: -1. */
	put32(p, UINT32_MAX);
	put32(p, UINT32_MAX);
	text(p, OPT_COMMENT, comment);
	text(p, SHB_OS, os);
	text(p, SHB_APPLICATION, application);
	end(p, at);
}

void tcphs_pcapng_interface(struct tcphs_pcapng *p, const char *name,
			    const char *description, const char *os)
{
	static const uint8_t nanoseconds = 9;
	size_t at = begin(p, INTERFACE);

	put16(p, LINKTYPE_LINUX_SLL);
	put16(p, 0);
	put32(p, 0);
	text(p, IF_NAME, name);
	text(p, IF_DESCRIPTION, description);
	option(p, IF_TSRESOL, &nanoseconds, 1);
	text(p, IF_OS, os);
	end(p, at);
}

void tcphs_pcapng_packet(struct tcphs_pcapng *p, const struct tcphs_pcapng_packet *k)
{
	size_t at = begin(p, PACKET), i;
	uint32_t way = k->way;

	put32(p, k->interface);
	put32(p, k->time >> 32);
	put32(p, k->time);
	put32(p, k->captured);
	put32(p, k->original);
	put(p, k->data, k->captured);
	pad(p, k->captured);
	for (i = 0; i < k->ncomments; i++)
		text(p, OPT_COMMENT, k->comments[i]);
	option(p, EPB_FLAGS, &way, sizeof(way));
	end(p, at);
}
