// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "writer.h"

#define SECOND 1000000000LL

static void write_second(int64_t second, const char *format, char text[32])
{
	time_t seconds = second;
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(text, 32, format, &tm))
		strcpy(text, "?");
}

/* Microseconds behind a point. Returns `text`. */
static char *add_part(char text[TCPHS_CLOCK_SIZE], size_t used, unsigned int us)
{
	unsigned int i;

	text[used] = '.';
	for (i = 6; i; i--, us /= 10)
		text[used + i] = '0' + us % 10;
	text[used + 7] = '\0';
	return text;
}

/* The second, and what of it has gone; rounded down before 1970 too. */
static int64_t split(const struct tcphs_clock *c, uint64_t ts, unsigned int *us)
{
	int64_t ns = (int64_t)ts + c->wall_offset;
	int64_t part = (ns % SECOND + SECOND) % SECOND;

	*us = part / 1000;
	return (ns - part) / SECOND;
}

static char *wall(struct tcphs_clock *c, uint64_t ts, const char *format,
		  char text[TCPHS_CLOCK_SIZE])
{
	uint64_t gone = ts - c->second;
	unsigned int us;

	if (!c->written || gone >= (uint64_t)SECOND) {
		int64_t second = split(c, ts, &us);

		write_second(second, format, c->text);
		c->second = second * SECOND - c->wall_offset;
		c->size = strlen(c->text);
		c->written = true;
		gone = ts - c->second;
	}
	memcpy(text, c->text, sizeof(c->text));
	return add_part(text, c->size, gone / 1000);
}

#define DATE "%Y-%m-%d %H:%M:%S"

char *tcphs_clock_date(const struct tcphs_clock *c, uint64_t ts,
		       char text[TCPHS_CLOCK_SIZE])
{
	unsigned int us;

	write_second(split(c, ts, &us), DATE, text);
	return add_part(text, strlen(text), us);
}

static void span(int64_t ns, char text[TCPHS_CLOCK_SIZE])
{
	int64_t size = ns < 0 ? -ns : ns;

	snprintf(text, TCPHS_CLOCK_SIZE, "%s%" PRId64, ns < 0 ? "-" : "",
		 (int64_t)(size / SECOND));
	add_part(text, strlen(text), size % SECOND / 1000);
}

char *tcphs_clock_row(struct tcphs_clock *c, uint64_t ts, char text[TCPHS_CLOCK_SIZE])
{
	if (!c->begun) {
		c->begun = true;
		c->first = c->last = ts;
	}
	switch (c->times) {
	case TCPHS_TIMES_DEFAULT:
		wall(c, ts, "%H:%M:%S", text);
		break;
	case TCPHS_TIMES_NONE:
		text[0] = '\0';
		break;
	case TCPHS_TIMES_EPOCH:
		span((int64_t)ts + c->wall_offset, text);
		break;
	case TCPHS_TIMES_DELTA:
		span(ts - c->last, text);
		break;
	case TCPHS_TIMES_DATE:
		wall(c, ts, DATE, text);
		break;
	case TCPHS_TIMES_SINCE:
		span(ts - c->first, text);
		break;
	}
	c->last = ts;
	return text;
}

char *tcphs_clock_put(struct tcphs_clock *c, uint64_t ts, char *to)
{
	const char *pairs = tcphs_writer_pairs;
	uint64_t gone = ts - c->second;
	unsigned int us;

	/* The second that the last row was in, as nearly always. */
	if (c->times != TCPHS_TIMES_DEFAULT || !c->written || gone >= (uint64_t)SECOND)
		return to + strlen(tcphs_clock_row(c, ts, to));
	us = gone / 1000;
	c->last = ts;
	memcpy(to, c->text, sizeof(c->text));
	to += c->size;
	*to = '.';
	memcpy(to + 1, pairs + us / 10000 * 2, 2);
	memcpy(to + 3, pairs + us / 100 % 100 * 2, 2);
	memcpy(to + 5, pairs + us % 100 * 2, 2);
	return to + 7;
}
