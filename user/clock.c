// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "clock.h"

#define SECOND 1000000000LL

static void wall(const struct tcphs_clock *c, uint64_t ts, const char *format,
		 char text[TCPHS_CLOCK_SIZE])
{
	int64_t ns = (int64_t)ts + c->wall_offset;
	/* Rounded down before 1970 too. */
	int64_t part = (ns % SECOND + SECOND) % SECOND;
	time_t seconds = (ns - part) / SECOND;
	char day[32] = "?";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(day, sizeof(day), format, &tm);
	snprintf(text, TCPHS_CLOCK_SIZE, "%s.%06d", day,
		 (int)(part / 1000));
}

char *tcphs_clock_date(const struct tcphs_clock *c, uint64_t ts,
		       char text[TCPHS_CLOCK_SIZE])
{
	wall(c, ts, "%Y-%m-%d %H:%M:%S", text);
	return text;
}

static void span(int64_t ns, char text[TCPHS_CLOCK_SIZE])
{
	int64_t size = ns < 0 ? -ns : ns;

	snprintf(text, TCPHS_CLOCK_SIZE, "%s%" PRId64 ".%06d", ns < 0 ? "-" : "",
		 (int64_t)(size / SECOND), (int)(size % SECOND / 1000));
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
		tcphs_clock_date(c, ts, text);
		break;
	case TCPHS_TIMES_SINCE:
		span(ts - c->first, text);
		break;
	}
	c->last = ts;
	return text;
}
