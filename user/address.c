// SPDX-License-Identifier: GPL-2.0
/* Addresses and ports: a record's tuple, its mirror, its text. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "address.h"

void tcphs_address_tuple(const struct tcphs_record *r, struct tcphs_tuple *t)
{
	size_t size = r->flags & TCPHS_INET6 ? 16 : 4;

	memset(t, 0, sizeof(*t));
	t->inet6 = !!(r->flags & TCPHS_INET6);
	if (!(r->flags & TCPHS_NO_LOCAL_PORT)) {
		memcpy(t->local, r->saddr, size);
		t->lport = r->sport;
	}
	if (!(r->flags & TCPHS_NO_REMOTE)) {
		memcpy(t->remote, r->daddr, size);
		t->rport = r->dport;
	}
}

bool tcphs_address_whole(const struct tcphs_tuple *t)
{
	return t->lport && t->rport;
}

bool tcphs_address_equal(const struct tcphs_tuple *a, const struct tcphs_tuple *b)
{
	return !memcmp(a, b, sizeof(*a));
}

void tcphs_address_mirror(const struct tcphs_tuple *t, struct tcphs_tuple *mirror)
{
	memset(mirror, 0, sizeof(*mirror));
	memcpy(mirror->local, t->remote, sizeof(mirror->local));
	memcpy(mirror->remote, t->local, sizeof(mirror->remote));
	mirror->lport = t->rport;
	mirror->rport = t->lport;
	mirror->inet6 = t->inet6;
}

uint64_t tcphs_address_hash(const struct tcphs_tuple *t)
{
	const uint8_t *byte = (const uint8_t *)t;
	uint64_t hash = 0xcbf29ce484222325ULL;
	size_t i;

	/* FNV-1a */
	for (i = 0; i < sizeof(*t); i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ULL;
	return hash ^ hash >> 32;
}

bool tcphs_address_any(const uint8_t address[16])
{
	static const uint8_t any[16];

	return !memcmp(address, any, sizeof(any));
}

char *tcphs_address_text(const uint8_t address[16], bool inet6,
			 char text[TCPHS_ADDRESS_SIZE])
{
	inet_ntop(inet6 ? AF_INET6 : AF_INET, address, text, TCPHS_ADDRESS_SIZE);
	return text;
}

char *tcphs_address_end(const uint8_t address[16], bool inet6, unsigned int port,
			char text[TCPHS_ADDRESS_SIZE])
{
	char name[TCPHS_ADDRESS_SIZE];
	char number[8] = "?";

	if (port)
		snprintf(number, sizeof(number), "%u", port & 0xffff);
	tcphs_address_text(address, inet6, name);
	snprintf(text, TCPHS_ADDRESS_SIZE, inet6 ? "[%.46s]:%s" : "%.46s:%s", name,
		 number);
	return text;
}
