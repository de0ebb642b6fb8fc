/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_VALUE_H
#define TCPHS_VALUE_H

#include <stdbool.h>

#include "writer.h"

/*
 * JSON, written as it is told: no tree of it is ever in memory. `name` is that of
 * the member, short, plain ASCII and mostly a constant; NULL where a value has
 * none: in an array, or outside of everything.
 */
struct tcphs_values {
	struct tcphs_writer w;
	bool more;		/* the next value is not the first one */
};

/* Text of anybody's: escaped, and all in ASCII; null when it is not UTF-8. */
void tcphs_value_quote(struct tcphs_values *v, const char *text);

/* Microseconds, with what is behind the point. */
void tcphs_value_write_us(struct tcphs_values *v, uint64_t ns);

/* The comma, and the name. */
static __always_inline void tcphs_value_name(struct tcphs_values *v, const char *name)
{
	char *to = tcphs_writer_room(&v->w);

	if (v->more)
		*to++ = ',';
	v->more = true;
	if (name) {
		size_t size = strlen(name);

		*to++ = '"';
		memcpy(to, name, size);
		to += size;
		*to++ = '"';
		*to++ = ':';
	}
	v->w.used = to - v->w.text;
}

/* `kind` is '{' or '[': of an object or an array. */
static __always_inline void tcphs_value_begin(struct tcphs_values *v, const char *name, char kind)
{
	tcphs_value_name(v, name);
	tcphs_writer_char(&v->w, kind);
	v->more = false;
}

/* `kind` is '}' or ']'. */
static __always_inline void tcphs_value_end(struct tcphs_values *v, char kind)
{
	tcphs_writer_char(&v->w, kind);
	v->more = true;
}

static __always_inline void tcphs_value_null(struct tcphs_values *v, const char *name)
{
	tcphs_value_name(v, name);
	tcphs_writer_text(&v->w, "null");
}

static __always_inline void tcphs_value_signed(struct tcphs_values *v, const char *name,
					       int64_t value)
{
	tcphs_value_name(v, name);
	tcphs_writer_signed(&v->w, value);
}

/*
 * Half of what 64 bits can say has no place in the integers of jansson and others:
 * it comes out below 0, and is the same 64 bits to who reads it back. No kernel
 * counts so far.
 */
static __always_inline void tcphs_value_number(struct tcphs_values *v, const char *name,
					       uint64_t value)
{
	tcphs_value_signed(v, name, value);
}

static __always_inline void tcphs_value_truth(struct tcphs_values *v, const char *name, bool value)
{
	tcphs_value_name(v, name);
	if (value)
		tcphs_writer_text(&v->w, "true");
	else
		tcphs_writer_text(&v->w, "false");
}

/* NULL is null. */
static __always_inline void tcphs_value_text(struct tcphs_values *v, const char *name,
					     const char *value)
{
	if (!value) {
		tcphs_value_null(v, name);
		return;
	}
	tcphs_value_name(v, name);
	tcphs_value_quote(v, value);
}

/* Nothing in it needs an escape: a word of ours, an address. NULL is null. */
static __always_inline void tcphs_value_word(struct tcphs_values *v, const char *name,
					     const char *value)
{
	if (!value) {
		tcphs_value_null(v, name);
		return;
	}
	tcphs_value_name(v, name);
	tcphs_writer_char(&v->w, '"');
	tcphs_writer_text(&v->w, value);
	tcphs_writer_char(&v->w, '"');
}

/* Bytes as hexadecimal text. */
static __always_inline void tcphs_value_hex(struct tcphs_values *v, const char *name,
					    const uint8_t *byte, size_t count)
{
	tcphs_value_name(v, name);
	tcphs_writer_char(&v->w, '"');
	tcphs_writer_hex(&v->w, byte, count);
	tcphs_writer_char(&v->w, '"');
}

static __always_inline void tcphs_value_us(struct tcphs_values *v, const char *name, uint64_t ns)
{
	tcphs_value_name(v, name);
	tcphs_value_write_us(v, ns);
}

void tcphs_value_real(struct tcphs_values *v, const char *name, double value);

#endif
