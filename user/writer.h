/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_WRITER_H
#define TCPHS_WRITER_H

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/*
 * Text on its way to a stream, piece by piece. A format that printf() has to read
 * costs ten times what its digits do, and rows come a hundred thousand a second.
 * What is written is in `text` until it is flushed, or there is no more room.
 */
enum {
	TCPHS_WRITER_SIZE = 4096,
	TCPHS_WRITER_PIECE = 64,	/* room that is always there */
};

struct tcphs_writer {
	FILE *to;
	size_t used;
	char text[TCPHS_WRITER_SIZE];
};

/* Give what is there to the stream. */
void tcphs_writer_flush(struct tcphs_writer *w);

/* The errno of the first write to any stream that failed; 0: none did. */
int tcphs_writer_error(void);

/* Text of any length. */
void tcphs_writer_bytes(struct tcphs_writer *w, const char *text, size_t size);

/* Decimal digits. */
void tcphs_writer_number(struct tcphs_writer *w, uint64_t value);

/* "00" to "99", one after the other. */
extern const char tcphs_writer_pairs[201];

/* Exactly `digits` of them, the last ones, with zeros in front. */
void tcphs_writer_digits(struct tcphs_writer *w, unsigned int value, unsigned int digits);

/* Hexadecimal, two digits for each byte. */
void tcphs_writer_hex(struct tcphs_writer *w, const uint8_t *byte, size_t count);

/* With spaces behind it, up to so many bytes; no more than a piece. */
void tcphs_writer_padded(struct tcphs_writer *w, const char *text, size_t width);

/*
 * Always in place: only there a name is a constant, and its copy a few moves.
 * First: have room for a piece.
 */
static __always_inline char *tcphs_writer_room(struct tcphs_writer *w)
{
	if (w->used > TCPHS_WRITER_SIZE - TCPHS_WRITER_PIECE)
		tcphs_writer_flush(w);
	return w->text + w->used;
}

static __always_inline void tcphs_writer_char(struct tcphs_writer *w, char c)
{
	*tcphs_writer_room(w) = c;
	w->used++;
}

static __always_inline void tcphs_writer_signed(struct tcphs_writer *w, int64_t value)
{
	if (value < 0)
		tcphs_writer_char(w, '-');
	tcphs_writer_number(w, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* Text that is shorter than a piece, though how long is not known. */
static __always_inline void tcphs_writer_word(struct tcphs_writer *w, const char *text)
{
	char *to = tcphs_writer_room(w);

	w->used += stpcpy(to, text) - to;
}

static __always_inline void tcphs_writer_text(struct tcphs_writer *w, const char *text)
{
	size_t size = strlen(text);

	if (__builtin_constant_p(size) && size < TCPHS_WRITER_PIECE) {
		memcpy(tcphs_writer_room(w), text, size);
		w->used += size;
		return;
	}
	tcphs_writer_bytes(w, text, size);
}

#endif
