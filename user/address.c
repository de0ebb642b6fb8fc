// SPDX-License-Identifier: GPL-2.0
/* Addresses and ports: a record's tuple, its mirror, its text. */
#include <string.h>

#include "address.h"

/* A size that is a constant takes a move or two. */
static inline void copy(uint8_t *to, const uint8_t *from, bool inet6)
{
	if (inet6)
		memcpy(to, from, 16);
	else
		memcpy(to, from, 4);
}

void tcphs_address_tuple(const struct tcphs_record *r, struct tcphs_tuple *t)
{
	memset(t, 0, sizeof(*t));
	t->inet6 = !!(r->flags & TCPHS_INET6);
	if (!(r->flags & TCPHS_NO_LOCAL_PORT)) {
		copy(t->local, r->saddr, t->inet6);
		t->lport = r->sport;
	}
	if (!(r->flags & TCPHS_NO_REMOTE)) {
		copy(t->remote, r->daddr, t->inet6);
		t->rport = r->dport;
	}
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
	uint64_t word[sizeof(*t) / 8], hash;

	/* Each step is a bijection of what was: words that differ are not lost. */
	memcpy(word, t, sizeof(word));
	hash = (word[0] ^ 0xcbf29ce484222325ULL) * 0x9e3779b97f4a7c15ULL;
	hash = ((hash ^ hash >> 32) ^ word[2]) * 0x9e3779b97f4a7c15ULL;
	hash = ((hash ^ hash >> 32) ^ word[4]) * 0x9e3779b97f4a7c15ULL;
	/* Which of IPv4 are zero. */
	if (t->inet6) {
		hash = ((hash ^ hash >> 32) ^ word[1]) * 0x9e3779b97f4a7c15ULL;
		hash = ((hash ^ hash >> 32) ^ word[3]) * 0x9e3779b97f4a7c15ULL;
	}
	return hash ^ hash >> 32;
}

bool tcphs_address_any(const uint8_t address[16])
{
	static const uint8_t any[16];

	return !memcmp(address, any, sizeof(any));
}

/* Decimal, up to 65535, without zeros in front. Returns where it ends. */
static char *put_number(char *to, unsigned int value)
{
	if (value >= 10000)
		*to++ = '0' + value / 10000;
	if (value >= 1000)
		*to++ = '0' + value / 1000 % 10;
	if (value >= 100)
		*to++ = '0' + value / 100 % 10;
	if (value >= 10)
		*to++ = '0' + value / 10 % 10;
	*to++ = '0' + value % 10;
	return to;
}

/* The same of a byte. */
static inline char *put_byte(char *to, unsigned int value)
{
	if (value >= 100) {
		*to++ = value < 200 ? '1' : '2';
		value -= value < 200 ? 100 : 200;
	} else if (value < 10) {
		*to = '0' + value;
		return to + 1;
	}
	to[0] = '0' + value / 10;
	to[1] = '0' + value % 10;
	return to + 2;
}

static char *put_inet(char *to, const uint8_t *byte)
{
	unsigned int i;

	to = put_byte(to, byte[0]);
	for (i = 1; i < 4; i++) {
		*to++ = '.';
		to = put_byte(to, byte[i]);
	}
	return to;
}

static char *put_hex(char *to, unsigned int value)
{
	int shift = 12;

	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[value >> shift & 0xf];
	return to;
}

/*
 * RFC 5952, as inet_ntop() does it: the first of the longest runs of zeros, of two
 * words at least, is "::"; an IPv4 address in the last words is written as one.
 */
static char *put_inet6(char *to, const uint8_t *byte)
{
	unsigned int word[8], i, begin = 8, longest = 1, run = 0;

	for (i = 0; i < 8; i++) {
		word[i] = byte[2 * i] << 8 | byte[2 * i + 1];
		run = word[i] ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			begin = i + 1 - run;
		}
	}
	for (i = 0; i < 8; i++) {
		if (i == begin) {
			*to++ = ':';
			i += longest - 1;
			if (i == 7)
				*to++ = ':';
			continue;
		}
		if (i)
			*to++ = ':';
		if (i == 6 && !begin && (longest == 6 || (longest == 5 && word[5] == 0xffff)))
			return put_inet(to, byte + 12);
		to = put_hex(to, word[i]);
	}
	return to;
}

static char *put_address(char *to, const uint8_t address[16], bool inet6)
{
	return inet6 ? put_inet6(to, address) : put_inet(to, address);
}

char *tcphs_address_text(const uint8_t address[16], bool inet6,
			 char text[TCPHS_ADDRESS_SIZE])
{
	*put_address(text, address, inet6) = '\0';
	return text;
}

char *tcphs_address_end(const uint8_t address[16], bool inet6, unsigned int port,
			char text[TCPHS_ADDRESS_SIZE])
{
	char *to = text;

	if (inet6)
		*to++ = '[';
	to = put_address(to, address, inet6);
	if (inet6)
		*to++ = ']';
	*to++ = ':';
	if (port & 0xffff)
		to = put_number(to, port & 0xffff);
	else
		*to++ = port ? '0' : '?';
	*to = '\0';
	return text;
}
