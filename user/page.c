// SPDX-License-Identifier: GPL-2.0
/* The pages of `live -i`, text of several lines: a ladder, and the help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "browser.h"
#include "screen.h"

/*
 * What prints on standard output, as text to be freed. glibc lets stdout be
 * another stream for a while.
 */
static char *capture(const struct tcphs_ladder *l, const struct tcphs_connection *c,
		     unsigned long number)
{
	FILE *out = stdout;
	char *text = NULL;
	size_t size;

	stdout = open_memstream(&text, &size);
	if (stdout) {
		tcphs_ladder_connection(l, c, number);
		fclose(stdout);
	}
	stdout = out;
	return text;
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; text && *text; text++)
		lines += *text == '\n';
	/* A ladder ends with an empty line. */
	return lines ? lines - 1 : 0;
}

static void make_ladder(struct tcphs_view *v)
{
	const struct tcphs_connection *c;
	struct tcphs_connection *made;
	int columns = tcphs_screen_columns();
	size_t i;

	for (i = 0; i < v->rows && v->row[i].number != v->number; i++)
		;
	/* One that is no longer kept stays as it was drawn last. */
	if (i == v->rows)
		return;
	c = tcphs_rows_connection(v, &v->row[i], &made);
	v->ladder.output.width = columns > 0 ? columns : 1;
	free(v->text);
	v->text = capture(&v->ladder, c, v->number);
	v->lines = count_lines(v->text);
	tcphs_connection_free(made);
}

static void draw_text(const char *text, size_t line, size_t skip, size_t high)
{
	char part[TCPHS_VIEW_TEXT * 4];
	size_t i, size;

	for (i = 0; text && i < line; i++) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	for (i = 0; i < high; i++) {
		size = text ? strcspn(text, "\n") : 0;
		snprintf(part, sizeof(part), "%.*s", (int)size, text ? text : "");
		tcphs_screen_row(i, TCPHS_LOOK_PLAIN, part, skip);
		if (text)
			text += text[size] ? size + 1 : size;
	}
}

void tcphs_page_ladder(struct tcphs_view *v)
{
	size_t high = tcphs_view_room(0);

	make_ladder(v);
	if (v->line + high > v->lines)
		v->line = v->lines > high ? v->lines - high : 0;
	draw_text(v->text, v->line, v->skip, high);
}
static const char help[] =
"tcphs live: keys\n"
"\n"
"  arrows, j k, h l   up and down, sideways\n"
"  PgUp PgDn          a page; also Ctrl-B and Ctrl-F\n"
"  g G, Home End      the first, the last; G goes along with the newest\n"
"  Enter              the ladder of the connection\n"
"  q, Escape          back to the list; in the list q ends\n"
"  /                  filter, a pcap-filter expression: port 80 and not net 10\n"
"  p                  pause, and go on; 262,144 records are kept meanwhile, and\n"
"                     then what the ring has room for\n"
"  w                  another time: in the list the handshake, how long it\n"
"                     lasted, its start, that since the first one; in the ladder\n"
"                     ms, date, seconds since 1970, since the row before, none\n"
"  s                  save what the ring has to a file, for tcphs -r FILE\n"
"  ?                  this text\n"
"\n"
"CLOSE has capitals, a state, while the connection is open. A connection is\n"
"over at TIME_WAIT; its ladder has the end of that, too, when it comes. The newest\n"
"2,000 that are over are kept.\n";

void tcphs_page_help(struct tcphs_view *v)
{
	size_t high = tcphs_view_room(0);

	v->lines = count_lines(help) + 1;
	if (v->line + high > v->lines)
		v->line = v->lines > high ? v->lines - high : 0;
	draw_text(help, v->line, 0, high);
}
