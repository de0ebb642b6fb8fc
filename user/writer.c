// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "writer.h"

static int failed;

int tcphs_writer_error(void)
{
	return failed;
}

/* Nobody else has the stream. That it failed, it remembers, but not why. */
static void give(struct tcphs_writer *w, const char *text, size_t size)
{
	if (size && fwrite_unlocked(text, 1, size, w->to) != size && !failed)
		failed = errno;
}

void tcphs_writer_flush(struct tcphs_writer *w)
{
	give(w, w->text, w->used);
	w->used = 0;
}

void tcphs_writer_bytes(struct tcphs_writer *w, const char *text, size_t size)
{
	if (size > TCPHS_WRITER_SIZE - w->used)
		tcphs_writer_flush(w);
	if (size > TCPHS_WRITER_SIZE) {
		give(w, text, size);
		return;
	}
	memcpy(w->text + w->used, text, size);
	w->used += size;
}

/* "00" to "99" */
static const char pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

enum { DIGITS = 24 };	/* at the most, in whole words */

/* Eight digits. */
static void put8(char *to, unsigned int value)
{
	unsigned int high = value / 10000, low = value % 10000;

	memcpy(to, pairs + high / 100 * 2, 2);
	memcpy(to + 2, pairs + high % 100 * 2, 2);
	memcpy(to + 4, pairs + low / 100 * 2, 2);
	memcpy(to + 6, pairs + low % 100 * 2, 2);
}

void tcphs_writer_number(struct tcphs_writer *w, uint64_t value)
{
	char digits[2 * DIGITS], *end = digits + DIGITS, *at = end;
	char *to = tcphs_writer_room(w);
	unsigned int part;

	if (value < 10) {
		*to = '0' + value;
		w->used++;
		return;
	}
	while (value >= 100000000) {
		at -= 8;
		put8(at, value % 100000000);
		value /= 100000000;
	}
	for (part = value; part >= 100; part /= 100) {
		at -= 2;
		memcpy(at, pairs + part % 100 * 2, 2);
	}
	at -= 2;
	memcpy(at, pairs + part * 2, 2);
	/* Of the last pair the first may be none. */
	at += part < 10;
	w->used += end - at;
	/* What is behind them does not count; one size for all is quick. */
	memcpy(to, at, DIGITS);
}

void tcphs_writer_signed(struct tcphs_writer *w, int64_t value)
{
	if (value < 0)
		tcphs_writer_char(w, '-');
	tcphs_writer_number(w, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void tcphs_writer_digits(struct tcphs_writer *w, unsigned int value, unsigned int digits)
{
	char *to = tcphs_writer_room(w);
	unsigned int i;

	for (i = digits; i--; value /= 10)
		to[i] = '0' + value % 10;
	w->used += digits;
}

void tcphs_writer_hex(struct tcphs_writer *w, const uint8_t *byte, size_t count)
{
	static const char digit[] = "0123456789abcdef";

	while (count--) {
		char *to = tcphs_writer_room(w);

		to[0] = digit[*byte >> 4];
		to[1] = digit[*byte++ & 0xf];
		w->used += 2;
	}
}

void tcphs_writer_padded(struct tcphs_writer *w, const char *text, size_t width)
{
	size_t size = strlen(text);

	tcphs_writer_bytes(w, text, size);
	if (size >= width)
		return;
	memset(tcphs_writer_room(w), ' ', width - size);
	w->used += width - size;
}
