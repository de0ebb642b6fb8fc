// SPDX-License-Identifier: GPL-2.0
/*
 * TCP options: RFC 9293 (MSS), 7323 (window scale, timestamps), 2018 (SACK),
 * 7413 (Fast Open; kind 254 with magic F989 is its experimental form), 8684.
 */
#include <stdio.h>
#include <string.h>

#include "options.h"

enum {
	KIND_END = 0,
	KIND_NOP = 1,
	KIND_MSS = 2,
	KIND_WSCALE = 3,
	KIND_SACK_PERMITTED = 4,
	KIND_SACK = 5,
	KIND_TIMESTAMPS = 8,
	KIND_MPTCP = 30,
	KIND_FASTOPEN = 34,
	KIND_EXPERIMENTAL = 254,
};

static uint32_t big32(const uint8_t *byte)
{
	return (uint32_t)byte[0] << 24 | byte[1] << 16 | byte[2] << 8 | byte[3];
}

static void fastopen(struct tcphs_options *o, const uint8_t *byte, unsigned int len)
{
	/* RFC 7413, 4.1.1: 4 to 16 bytes, or none to ask for one. */
	if (len > sizeof(o->cookie))
		return;
	o->has_fastopen = true;
	o->cookie_len = len;
	memcpy(o->cookie, byte, len);
}

/* One option: `len` counts the bytes after kind and length. */
static void decode(struct tcphs_options *o, unsigned int kind, const uint8_t *byte,
		   unsigned int len)
{
	switch (kind) {
	case KIND_MSS:
		if (len == 2) {
			o->has_mss = true;
			o->mss = byte[0] << 8 | byte[1];
		}
		break;
	case KIND_WSCALE:
		if (len == 1) {
			o->has_wscale = true;
			o->wscale = byte[0];
		}
		break;
	case KIND_SACK_PERMITTED:
		if (!len)
			o->sack_permitted = true;
		break;
	case KIND_SACK:
		o->sack = true;
		break;
	case KIND_TIMESTAMPS:
		if (len == 8) {
			o->has_timestamps = true;
			o->tsval = big32(byte);
			o->tsecr = big32(byte + 4);
		}
		break;
	case KIND_MPTCP:
		o->mptcp = true;
		break;
	case KIND_FASTOPEN:
		fastopen(o, byte, len);
		break;
	case KIND_EXPERIMENTAL:
		if (len >= 2 && byte[0] == 0xf9 && byte[1] == 0x89)
			fastopen(o, byte + 2, len - 2);
		break;
	}
}

unsigned int tcphs_options_header(const struct tcphs_segment *s)
{
	return (s->offset >> 4) * 4;
}

void tcphs_options_decode(const struct tcphs_segment *s, struct tcphs_options *o)
{
	unsigned int header = tcphs_options_header(s);
	unsigned int size = header > 20 ? header - 20 : 0;
	unsigned int i = 0;

	memset(o, 0, sizeof(*o));
	while (i < size) {
		unsigned int kind = s->options[i];

		if (kind == KIND_END)
			break;
		if (kind == KIND_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= size || s->options[i + 1] < 2 ||
		    i + s->options[i + 1] > size) {
			o->malformed = true;
			break;
		}
		decode(o, kind, s->options + i + 2, s->options[i + 1] - 2);
		i += s->options[i + 1];
	}
}

char *tcphs_options_cookie(const struct tcphs_options *o, char text[33])
{
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < o->cookie_len; i++)
		sprintf(text + 2 * i, "%02x", o->cookie[i]);
	return text;
}
