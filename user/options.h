/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_OPTIONS_H
#define TCPHS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <tcphs.h>

/* What the option bytes of one TCP header say. */
struct tcphs_options {
	bool has_mss;
	bool has_wscale;
	bool sack_permitted;
	bool has_timestamps;
	bool has_fastopen;		/* a Fast Open option, perhaps empty */
	bool mptcp;
	bool sack;			/* SACK blocks */
	bool malformed;			/* a length that runs past the header */
	uint16_t mss;
	uint8_t wscale;
	uint32_t tsval;
	uint32_t tsecr;
	uint8_t cookie_len;		/* 0: a cookie is asked for */
	uint8_t cookie[16];
};

/* Header length in bytes as the header says it: 0 to 60; below 20 is wrong. */
unsigned int tcphs_options_header(const struct tcphs_segment *s);

/* Decode; hostile bytes end the decoding, what was read before them is kept. */
void tcphs_options_decode(const struct tcphs_segment *s, struct tcphs_options *o);

/* The cookie in hexadecimal; "" when one is asked for. Returns `text`. */
char *tcphs_options_cookie(const struct tcphs_options *o, char text[33]);

#endif
