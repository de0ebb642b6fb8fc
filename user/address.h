/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_ADDRESS_H
#define TCPHS_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <tcphs.h>

/*
 * The two ends of a connection as one of them sees it. IPv4 is in the first 4
 * bytes, the rest zero, so that equal tuples are equal bytes. Port 0: unknown.
 */
struct tcphs_tuple {
	uint8_t local[16];
	uint8_t remote[16];
	uint16_t lport;
	uint16_t rport;
	uint8_t inet6;
	uint8_t pad[3];
};

_Static_assert(sizeof(struct tcphs_tuple) == 40, "tuple: five words");

/* "[ffff:...:255.255.255.255]:65535" and its NUL. */
#define TCPHS_ADDRESS_SIZE 64

/* What a record says; unknown parts (TCPHS_NO_*) are zero. */
void tcphs_address_tuple(const struct tcphs_record *r, struct tcphs_tuple *t);

/* Both ports are known. */
static inline bool tcphs_address_whole(const struct tcphs_tuple *t)
{
	return t->lport && t->rport;
}

static inline bool tcphs_address_equal(const struct tcphs_tuple *a,
				       const struct tcphs_tuple *b)
{
	uint64_t x[sizeof(*a) / 8], y[sizeof(*b) / 8];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) |
		 (x[4] ^ y[4]));
}

/* The same connection as the other end sees it. */
void tcphs_address_mirror(const struct tcphs_tuple *t, struct tcphs_tuple *mirror);

uint64_t tcphs_address_hash(const struct tcphs_tuple *t);

/* All bytes zero: 0.0.0.0 or ::, any local address. */
bool tcphs_address_any(const uint8_t address[16]);

/* "10.9.0.1" or "fd00::1", never resolved. Returns `text`. */
char *tcphs_address_text(const uint8_t address[16], bool inet6,
			 char text[TCPHS_ADDRESS_SIZE]);

/* "10.9.0.1:80" or "[fd00::1]:80"; an unknown port is "?". Returns `text`. */
char *tcphs_address_end(const uint8_t address[16], bool inet6, unsigned int port,
			char text[TCPHS_ADDRESS_SIZE]);

#endif
