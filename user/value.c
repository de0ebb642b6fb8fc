// SPDX-License-Identifier: GPL-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "value.h"

/*
 * The character at `text`, of UTF-8; *size is how many bytes it takes, 0 when they
 * are none: cut off, longer than they must be, a surrogate, or above 10FFFF.
 */
static uint32_t decode(const unsigned char *text, size_t *size)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = *text;
	size_t count, i;

	*size = 0;
	count = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
	if (!count)
		return 0;
	if (count > 1)
		c &= 0x7f >> count;
	for (i = 1; i < count; i++) {
		/* A NUL is none of them either. */
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	if (c < least[count] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*size = count;
	return c;
}

static void escape_unit(struct tcphs_writer *w, uint32_t unit)
{
	static const char digit[] = "0123456789ABCDEF";
	char *to = tcphs_writer_room(w);

	to[0] = '\\';
	to[1] = 'u';
	to[2] = digit[unit >> 12 & 0xf];
	to[3] = digit[unit >> 8 & 0xf];
	to[4] = digit[unit >> 4 & 0xf];
	to[5] = digit[unit & 0xf];
	w->used += 6;
}

static void escape(struct tcphs_writer *w, uint32_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *known = c < 0x80 ? strchr(from, c) : NULL;

	if (known) {
		tcphs_writer_char(w, '\\');
		tcphs_writer_char(w, to[known - from]);
	} else if (c < 0x10000) {
		escape_unit(w, c);
	} else {
		escape_unit(w, 0xd800 + ((c - 0x10000) >> 10));
		escape_unit(w, 0xdc00 + (c & 0x3ff));
	}
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static bool is_utf8(const unsigned char *text)
{
	size_t size;

	for (; *text; text += size) {
		decode(text, &size);
		if (!size)
			return false;
	}
	return true;
}

void tcphs_value_quote(struct tcphs_values *v, const char *value)
{
	const unsigned char *text = (const unsigned char *)value, *begin;
	size_t size;

	for (begin = text; is_plain(*text); text++)
		;
	if (*text && !is_utf8(text)) {
		tcphs_writer_text(&v->w, "null");
		return;
	}
	tcphs_writer_char(&v->w, '"');
	for (;;) {
		tcphs_writer_bytes(&v->w, (const char *)begin, text - begin);
		if (!*text)
			break;
		escape(&v->w, decode(text, &size));
		text += size;
		for (begin = text; is_plain(*text); text++)
			;
	}
	tcphs_writer_char(&v->w, '"');
}

void tcphs_value_real(struct tcphs_values *v, const char *name, double value)
{
	char text[32], *power;

	if (!isfinite(value)) {
		tcphs_value_null(v, name);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", value);
	tcphs_value_name(v, name);
	power = strchr(text, 'e');
	if (power) {
		/* "1e-05" has a digit too many, "1e+20" a sign. */
		tcphs_writer_bytes(&v->w, text, power - text + 1);
		tcphs_writer_signed(&v->w, strtol(power + 1, NULL, 10));
		return;
	}
	tcphs_writer_text(&v->w, text);
	/* Without a point it would be an integer. */
	if (!strchr(text, '.'))
		tcphs_writer_text(&v->w, ".0");
}

void tcphs_value_write_us(struct tcphs_values *v, uint64_t ns)
{
	unsigned int part = ns % 1000, digits = 3;

	tcphs_writer_number(&v->w, ns / 1000);
	tcphs_writer_char(&v->w, '.');
	while (digits > 1 && part % 10 == 0) {
		part /= 10;
		digits--;
	}
	tcphs_writer_digits(&v->w, part, digits);
}
