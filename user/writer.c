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

const char tcphs_writer_pairs[201] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Two digits, or four, or eight. Each returns where it ends. */
static inline char *put2(char *to, unsigned int value)
{
	memcpy(to, tcphs_writer_pairs + value * 2, 2);
	return to + 2;
}

static inline char *put4(char *to, unsigned int value)
{
	return put2(put2(to, value / 100), value % 100);
}

static inline char *put8(char *to, unsigned int value)
{
	return put4(put4(to, value / 10000), value % 10000);
}

/* Up to eight, without zeros in front. */
static inline char *put_up_to4(char *to, unsigned int value)
{
	unsigned int high = value >= 100 ? value / 100 : value;

	if (high < 10)
		*to++ = '0' + high;
	else
		to = put2(to, high);
	return value >= 100 ? put2(to, value % 100) : to;
}

static inline char *put_up_to8(char *to, unsigned int value)
{
	return value < 10000 ? put_up_to4(to, value) :
			       put4(put_up_to4(to, value / 10000), value % 10000);
}

#define EIGHT 100000000ULL	/* digits */

void tcphs_writer_number(struct tcphs_writer *w, uint64_t value)
{
	char *to = tcphs_writer_room(w);

	if (value < EIGHT) {
		to = put_up_to8(to, value);
	} else if (value < EIGHT * EIGHT) {
		to = put8(put_up_to8(to, value / EIGHT), value % EIGHT);
	} else {
		to = put_up_to8(to, value / (EIGHT * EIGHT));
		value %= EIGHT * EIGHT;
		to = put8(put8(to, value / EIGHT), value % EIGHT);
	}
	w->used = to - w->text;
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

	while (count) {
		size_t some = count < TCPHS_WRITER_PIECE / 2 ? count : TCPHS_WRITER_PIECE / 2;
		char *to = tcphs_writer_room(w);

		w->used += 2 * some;
		for (count -= some; some--; to += 2) {
			to[0] = digit[*byte >> 4];
			to[1] = digit[*byte++ & 0xf];
		}
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
