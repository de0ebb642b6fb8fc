// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "report.h"
#include "verdict.h"

enum { LINE = 512, BAR_MIN = 4, BAR_MAX = 50 };

/* One word after the other, in lines of the width. */
struct words {
	FILE *to;
	unsigned int width;
	unsigned int used;
	bool more;
};

static void add(struct words *w, const char *name, uint64_t count)
{
	char text[LINE], number[TCPHS_NUMBER_SIZE];
	unsigned int columns;

	if (!count)
		return;
	snprintf(text, sizeof(text), "%s %s", tcphs_number_count(count, number), name);
	columns = strlen(text) + 2;
	if (w->more && w->used + columns + 1 > w->width) {
		fprintf(w->to, ",\n        ");
		w->used = 8;
	} else if (w->more) {
		fputs(", ", w->to);
	}
	w->used += columns;
	w->more = true;
	fputs(text, w->to);
}

static struct words begin(FILE *to, const struct tcphs_output *o, const char *name)
{
	fprintf(to, "%s%-7s%s ", tcphs_output_paint(o, TCPHS_PAINT_STRONG), name,
		tcphs_output_plain(o));
	return (struct words){ .to = to, .width = o->width, .used = 8 };
}

static void print_kinds(FILE *to, const struct tcphs_output *o,
			const struct tcphs_summary *s)
{
	struct words w = begin(to, o, "opened");
	unsigned int i;

	for (i = 0; i <= TCPHS_OPEN_UNSEEN; i++)
		add(&w, tcphs_verdict_open(i), s->opens[i]);
	fputs(w.more ? "\n" : "nothing\n", to);
	w = begin(to, o, "closed");
	for (i = TCPHS_CLOSE_FOUR_WAY; i <= TCPHS_CLOSE_UNSEEN; i++)
		add(&w, i == TCPHS_CLOSE_OPEN ? "still open" : tcphs_verdict_close(i),
		    s->closes[i]);
	add(&w, "never opened", s->closes[TCPHS_CLOSE_NONE]);
	fputs(w.more ? "\n" : "nothing\n", to);
}

void tcphs_report_times(FILE *to, const struct tcphs_output *o,
			const struct tcphs_summary *s)
{
	static const unsigned int percent[] = { 50, 90, 99 };
	char span[TCPHS_NUMBER_SIZE];
	size_t i;

	if (!s->handshakes)
		return;
	fprintf(to, "%shandshake%s", tcphs_output_paint(o, TCPHS_PAINT_STRONG),
		tcphs_output_plain(o));
	for (i = 0; i < sizeof(percent) / sizeof(percent[0]); i++)
		fprintf(to, " p%u %s,", percent[i],
			tcphs_number_span(tcphs_summary_percentile(s, percent[i]), span));
	fprintf(to, " max %s", tcphs_number_span(s->longest, span));
	fprintf(to, " (of %s)\n", tcphs_number_count(s->handshakes, span));
}

/* "10 us", "1 ms": limits have one digit that counts. */
static char *limit(uint64_t ns, char text[TCPHS_NUMBER_SIZE])
{
	const char *unit = "us";

	ns /= 1000;
	if (ns >= 1000000) {
		ns /= 1000000;
		unit = "s";
	} else if (ns >= 1000) {
		ns /= 1000;
		unit = "ms";
	}
	snprintf(text, TCPHS_NUMBER_SIZE, "%" PRIu64 " %s", ns, unit);
	return text;
}

/* Eighths of a column, where there are signs for them. */
static void print_bar(FILE *to, const struct tcphs_output *o, double share,
		      unsigned int columns)
{
	static const char *const eighth[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	unsigned int eighths = share * columns * 8 + 0.5, i;

	/* What is there is seen. */
	if (share > 0 && !eighths)
		eighths = 1;
	if (o->ascii) {
		for (i = 0; i < (eighths + 7) / 8; i++)
			putc('#', to);
		return;
	}
	for (i = 0; i < eighths / 8; i++)
		fputs("█", to);
	fputs(eighth[eighths % 8], to);
}

static void print_histogram(FILE *to, const struct tcphs_output *o,
			    const struct tcphs_summary *s)
{
	char from[TCPHS_NUMBER_SIZE], until[TCPHS_NUMBER_SIZE], count[TCPHS_NUMBER_SIZE];
	struct tcphs_summary_bar bar[TCPHS_SUMMARY_BARS];
	size_t bars = tcphs_summary_bars(s, bar), i;
	unsigned int columns = BAR_MIN;
	uint64_t most = 1;

	/* "  100 us to 200 us  ███ 1,234,567" */
	if (o->width > 34 + BAR_MIN)
		columns = o->width - 34;
	if (columns > BAR_MAX)
		columns = BAR_MAX;
	for (i = 0; i < bars; i++)
		if (bar[i].count > most)
			most = bar[i].count;
	for (i = 0; i < bars; i++) {
		if (bar[i].from)
			fprintf(to, "  %6s to %-6s  ", limit(bar[i].from, from),
				limit(bar[i].to, until));
		else
			fprintf(to, "  below %8s  ", limit(bar[i].to, until));
		print_bar(to, o, (double)bar[i].count / most, columns);
		fprintf(to, "%s%s\n", bar[i].count ? " " : "",
			tcphs_number_count(bar[i].count, count));
	}
}

void tcphs_report_print(FILE *to, const struct tcphs_output *o,
			const struct tcphs_summary *s, bool histogram)
{
	print_kinds(to, o, s);
	tcphs_report_times(to, o, s);
	if (histogram && s->handshakes)
		print_histogram(to, o, s);
}
