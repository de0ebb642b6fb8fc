// SPDX-License-Identifier: GPL-2.0
/*
 * `tcphs live -i`: a list of connections that goes on, and the ladder of the one
 * that is chosen. Records are read in turns with keys; what is drawn is made
 * anew each time from the flow and the shelf, so that nothing can be out of date.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "connection.h"
#include "filter.h"
#include "flow.h"
#include "hold.h"
#include "input.h"
#include "ladder.h"
#include "memory.h"
#include "message.h"
#include "names.h"
#include "number.h"
#include "output.h"
#include "record.h"
#include "screen.h"
#include "shelf.h"
#include "stop.h"
#include "verdict.h"
#include "view.h"

#define DRAW_NS 250000000ULL
#define RATE_NS 1000000000ULL
#define TURN_NS 30000000ULL	/* reading, before keys are looked at */

enum {
	INPUT = 200,
	TEXT = 1024,
	TIME = 64,
	TURN = 4096,		/* records */
	WAIT_MS = 100,
	PAUSED_MAX = 1 << 18,	/* records kept while paused: 32 MiB */
	SIDEWAYS = 8,
	WIDE_OWNER = 120,
};

enum mode {
	MODE_LIST,
	MODE_LADDER,
	MODE_HELP,
};

enum prompt {
	PROMPT_NONE,
	PROMPT_FILTER,
	PROMPT_SAVE,
};

/* What the column of times has; the ladder has its own. */
enum list_time {
	LIST_HANDSHAKE,
	LIST_LASTED,
	LIST_START,
	LIST_SINCE,
	LIST_TIMES,
};

static const char *const list_time_name[] = {
	[LIST_HANDSHAKE] = "HANDSHAKE",
	[LIST_LASTED] = "LASTED",
	[LIST_START] = "START",
	[LIST_SINCE] = "SINCE FIRST",
};

struct view {
	const struct tcphs_settings *s;
	struct tcphs_input *source;
	struct tcphs_hold *hold;
	struct tcphs_flow *flow;
	struct tcphs_shelf *shelf;
	struct tcphs_context context;
	struct tcphs_ladder ladder;
	uint64_t first;		/* ts */
	uint64_t records;
	bool ended;		/* nothing more will come */
	bool quit;

	bool paused;
	struct tcphs_record *queue;	/* what came since */
	size_t queued;
	size_t queue_room;

	enum mode mode;
	enum mode before_help;
	enum list_time list_time;
	const struct tcphs_shelf_row *row;	/* as drawn last */
	size_t rows;
	size_t chosen;
	size_t top;
	unsigned long number;	/* of the chosen one; 0 none */
	bool newest;		/* the choice goes along with the newest */

	char *text;		/* the ladder's lines */
	size_t lines;
	size_t line;		/* the first one shown */
	size_t skip;		/* columns, at the left */

	struct tcphs_filter *filter;
	char expression[INPUT];

	enum prompt prompt;
	char input[INPUT];
	bool input_bad;
	char message[TEXT];
	bool message_bad;

	uint64_t drawn;
	uint64_t rated;
	uint64_t rated_records;
	uint64_t rate;
};

/* Messages come here while the screen is ours. */
static void say(void *arg, const char *text)
{
	struct view *v = arg;

	snprintf(v->message, sizeof(v->message), "%s", text);
	v->message_bad = true;
}

/* ---- records -------------------------------------------------------------- */

static void give(void *arg, const struct tcphs_end *a, const struct tcphs_end *b)
{
	unsigned long number = a->number || !b ? a->number : b->number;
	struct view *v = arg;

	if (a->role != TCPHS_ROLE_LISTENER && number)
		tcphs_shelf_keep(v->shelf, number, tcphs_connection_new(&v->context, a, b));
}

static void take(void *arg, const struct tcphs_record *r)
{
	struct view *v = arg;

	v->row = NULL;
	if (!v->first)
		v->first = r->ts;
	if (r->ts > v->context.last)
		v->context.last = r->ts;
	tcphs_flow_feed(v->flow, r);
	if (r->kind != TCPHS_LOST)
		tcphs_shelf_take(v->shelf, tcphs_flow_number(v->flow, tcphs_flow_find(v->flow, r)), r);
}

static void idle(struct view *v)
{
	uint64_t now = tcphs_stop_now();

	tcphs_hold_idle(v->hold, now);
	tcphs_flow_advance(v->flow, now);
	v->row = NULL;
}

static void end(struct view *v)
{
	size_t i;

	for (i = 0; i < v->queued; i++)
		tcphs_hold_feed(v->hold, &v->queue[i]);
	v->queued = 0;
	tcphs_hold_finish(v->hold);
	tcphs_flow_finish(v->flow);
	v->row = NULL;
	v->ended = true;
}

static void accept_record(struct view *v, const struct tcphs_record *r)
{
	v->records++;
	if (!v->paused) {
		tcphs_hold_feed(v->hold, r);
		return;
	}
	v->queue = tcphs_memory_grow(v->queue, v->queued, &v->queue_room, sizeof(*v->queue));
	v->queue[v->queued++] = *r;
}

/* Read for a while. */
static void read_turn(struct view *v)
{
	uint64_t begun = tcphs_stop_now();
	struct tcphs_record r;
	unsigned int i;

	for (i = 0; i < TURN && !v->ended; i++) {
		/* The module's ring keeps the rest. */
		if (v->paused && v->queued == PAUSED_MAX) {
			usleep(WAIT_MS * 1000);
			return;
		}
		switch (tcphs_input_read(v->source, &r)) {
		case TCPHS_SOURCE_END:
			if (!tcphs_stop_asked() || v->s->nfiles)
				end(v);
			return;
		case TCPHS_SOURCE_IDLE:
			if (!v->paused)
				idle(v);
			return;
		case TCPHS_SOURCE_RECORD:
			accept_record(v, &r);
			break;
		}
		if (i % 64 == 63 && tcphs_stop_now() > begun + TURN_NS)
			return;
	}
}

static void set_paused(struct view *v, bool paused)
{
	size_t i;

	v->paused = paused;
	if (paused)
		return;
	for (i = 0; i < v->queued; i++)
		tcphs_hold_feed(v->hold, &v->queue[i]);
	v->queued = 0;
}

/* ---- the rows of the list ------------------------------------------------- */

static bool wanted(void *arg, const struct tcphs_tuple *t, uint32_t netns,
		   uint32_t netns_peer)
{
	const struct view *v = arg;
	const struct tcphs_hosts *hosts = v->context.hosts;
	uint32_t only = v->s->netns;

	/* Of the living they are places, of those that are over namespaces. */
	if (only && netns != only && netns_peer != only &&
	    tcphs_host_netns(hosts, netns) != only &&
	    tcphs_host_netns(hosts, netns_peer) != only)
		return false;
	return tcphs_filter_match(v->filter, t);
}

/* The choice stays at its number, or at the newest. */
static void find_rows(struct view *v)
{
	size_t i;

	v->row = tcphs_shelf_rows(v->shelf, v->flow, wanted, v, &v->rows);
	if (!v->rows) {
		v->chosen = v->top = 0;
		if (v->mode == MODE_LIST)
			v->number = 0;
		return;
	}
	if (v->newest) {
		v->chosen = v->rows - 1;
	} else {
		for (i = 0; i + 1 < v->rows && v->row[i].number < v->number; i++)
			;
		v->chosen = i;
	}
	/* A ladder that is open keeps its connection, wherever the list goes. */
	if (v->mode == MODE_LIST)
		v->number = v->row[v->chosen].number;
}

static const struct tcphs_connection *connection_of(const struct view *v,
						    const struct tcphs_shelf_row *row,
						    struct tcphs_connection **made)
{
	*made = NULL;
	if (row->over)
		return row->over;
	*made = tcphs_connection_new(&v->context, row->a, row->b);
	return *made;
}

static const char *state_now(const struct tcphs_connection *c)
{
	const char *name[2] = { NULL, NULL };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (c->side[i].nstates)
			name[i] = tcphs_names_state(c->side[i].states[c->side[i].nstates - 1].state);
	if (name[0] && name[1] && strcmp(name[0], name[1]))
		/* There is room for one: the client's, while it has one. */
		return strcmp(name[0], "CLOSE") ? name[0] : name[1];
	return name[0] ? name[0] : name[1] ? name[1] : "-";
}

static enum tcphs_paint paint_of(const struct tcphs_connection *c)
{
	if ((c->open > TCPHS_OPEN_SYN_COOKIE && c->open < TCPHS_OPEN_HALF_OPEN) ||
	    c->close == TCPHS_CLOSE_RESET_BY_CLIENT ||
	    c->close == TCPHS_CLOSE_RESET_BY_SERVER || c->close == TCPHS_CLOSE_TIMED_OUT)
		return TCPHS_PAINT_BAD;
	if (c->whole != TCPHS_WHOLE_COMPLETE)
		return TCPHS_PAINT_WARN;
	return c->close == TCPHS_CLOSE_OPEN ? TCPHS_PAINT_GOOD : TCPHS_PAINT_PLAIN;
}

static void list_time(const struct view *v, const struct tcphs_connection *c,
		      char text[TIME])
{
	struct tcphs_clock clock = v->ladder.clock;
	char span[TCPHS_CLOCK_SIZE];
	uint64_t until;

	strcpy(text, "-");
	switch (v->list_time) {
	case LIST_HANDSHAKE:
		if (c->opened)
			tcphs_number_span(c->opened, text);
		break;
	case LIST_LASTED:
		/* One that lives has lasted until now. */
		until = c->ended ? c->ended : v->context.last;
		if (until > c->began)
			tcphs_number_span(until - c->began, text);
		break;
	case LIST_START:
		clock.times = TCPHS_TIMES_DEFAULT;
		/* To the millisecond: "04:07:14.280" */
		snprintf(text, TIME, "%.12s", tcphs_clock_row(&clock, c->start, span));
		break;
	case LIST_SINCE:
		if (c->start >= v->first)
			tcphs_number_span(c->start - v->first, text);
		break;
	default:
		break;
	}
}

static void owner(const struct tcphs_side *side, char *text, size_t size)
{
	char comm[32];

	snprintf(text, size, "-");
	if (side->socket && side->owner.known)
		snprintf(text, size, "%s/%u",
			 tcphs_output_clean(side->owner.comm, comm, sizeof(comm)),
			 side->owner.pid);
}

static int time_columns(const struct view *v)
{
	return v->list_time == LIST_START ? 12 : 11;
}

static void draw_row(struct view *v, int y, const struct tcphs_shelf_row *row, bool chosen)
{
	char text[TEXT], time[TIME], name[2][TCPHS_ADDRESS_SIZE] = { "?", "?" };
	char owners[2][64] = { "", "" };
	const char *close, *again;
	const struct tcphs_connection *c;
	struct tcphs_connection *made;
	unsigned int i;

	c = connection_of(v, row, &made);
	for (i = 0; i < 2; i++)
		if (c->side[i].port)
			tcphs_address_end(c->side[i].address, c->side[i].inet6,
					  c->side[i].port, name[i]);
	close = tcphs_verdict_close(c->close);
	/* Capitals: a state; of one that is still open. */
	if (c->close == TCPHS_CLOSE_OPEN || (!close && !row->over))
		close = state_now(c);
	list_time(v, c, time);
	again = c->whole == TCPHS_WHOLE_COMPLETE ? "" : tcphs_verdict_whole(c->whole);
	snprintf(text, sizeof(text), "#%-4lu %s%-11s %-15s%s %*s  %s > %s %s", row->number,
		 tcphs_output_paint(&v->ladder.output, paint_of(c)),
		 tcphs_verdict_open(c->open), close ? close : "-",
		 tcphs_output_plain(&v->ladder.output), time_columns(v), time, name[0],
		 name[1], again);
	if (tcphs_screen_columns() >= WIDE_OWNER) {
		owner(&c->side[TCPHS_CLIENT], owners[0], sizeof(owners[0]));
		owner(&c->side[TCPHS_SERVER], owners[1], sizeof(owners[1]));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  (%s > %s)",
			 owners[0], owners[1]);
	}
	tcphs_connection_free(made);
	tcphs_screen_row(y, chosen ? TCPHS_LOOK_CHOSEN : TCPHS_LOOK_PLAIN, text, v->skip);
}

/* How many rows there are between the headings and the line at the bottom. */
static size_t room(unsigned int headings)
{
	int rows = tcphs_screen_rows() - (int)headings - 1;

	return rows > 0 ? rows : 0;
}

static void draw_list(struct view *v)
{
	char text[TEXT], over[TCPHS_NUMBER_SIZE], kept[TCPHS_NUMBER_SIZE];
	size_t i, high = room(2);

	tcphs_number_count(tcphs_shelf_over(v->shelf), over);
	tcphs_number_count(tcphs_shelf_kept(v->shelf), kept);
	snprintf(text, sizeof(text), "tcphs live  %s%s%s%s%zu connection%s%s%s%s",
		 v->paused ? "PAUSED  " : v->ended ? "END OF RECORDS  " : "",
		 *v->expression ? "filter: " : "", v->expression,
		 *v->expression ? "  " : "", v->rows, v->rows == 1 ? "" : "s",
		 tcphs_shelf_over(v->shelf) > tcphs_shelf_kept(v->shelf) ? ", of those over the newest " : "",
		 tcphs_shelf_over(v->shelf) > tcphs_shelf_kept(v->shelf) ? kept : "",
		 tcphs_shelf_over(v->shelf) > tcphs_shelf_kept(v->shelf) ? " are kept" : "");
	tcphs_screen_row(0, TCPHS_LOOK_BAR, text, 0);
	snprintf(text, sizeof(text), "%-5s %-11s %-15s %*s  CLIENT > SERVER", "CONN", "OPEN",
		 "CLOSE", time_columns(v), list_time_name[v->list_time]);
	tcphs_screen_row(1, TCPHS_LOOK_BAR, text, v->skip);
	if (v->chosen < v->top)
		v->top = v->chosen;
	if (high && v->chosen >= v->top + high)
		v->top = v->chosen - high + 1;
	if (v->top + high > v->rows)
		v->top = v->rows > high ? v->rows - high : 0;
	for (i = 0; i < high; i++) {
		if (v->top + i < v->rows)
			draw_row(v, 2 + i, &v->row[v->top + i], v->top + i == v->chosen);
		else
			tcphs_screen_row(2 + i, TCPHS_LOOK_PLAIN,
					 !i && !v->ended ? "no connection yet" :
					 !i ? "no connection" : "", 0);
	}
}

/* ---- the ladder ----------------------------------------------------------- */

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

static void make_ladder(struct view *v)
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
	c = connection_of(v, &v->row[i], &made);
	v->ladder.output.width = columns > 0 ? columns : 1;
	free(v->text);
	v->text = capture(&v->ladder, c, v->number);
	v->lines = count_lines(v->text);
	tcphs_connection_free(made);
}

static void draw_text(const char *text, size_t line, size_t skip, size_t high)
{
	char part[TEXT * 4];
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

static void draw_ladder(struct view *v)
{
	size_t high = room(0);

	make_ladder(v);
	if (v->line + high > v->lines)
		v->line = v->lines > high ? v->lines - high : 0;
	draw_text(v->text, v->line, v->skip, high);
}

/* ---- help ----------------------------------------------------------------- */

static const char help[] =
"tcphs live: keys\n"
"\n"
"  arrows, j k, h l   up and down, sideways\n"
"  PgUp PgDn          a page; also Ctrl-B and Ctrl-F\n"
"  g G, Home End      the first, the last; G goes along with the newest\n"
"  Enter              the ladder of the connection\n"
"  q, Escape          back to the list; in the list q ends\n"
"  /                  filter, a pcap-filter expression: port 80 and not net 10/8\n"
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

static void draw_help(struct view *v)
{
	size_t high = room(0);

	v->lines = count_lines(help) + 1;
	if (v->line + high > v->lines)
		v->line = v->lines > high ? v->lines - high : 0;
	draw_text(help, v->line, 0, high);
}

/* ---- the line at the bottom ----------------------------------------------- */

static void measure_rate(struct view *v, uint64_t now)
{
	if (now < v->rated + RATE_NS)
		return;
	v->rate = (v->records - v->rated_records) * 1000000000 / (now - v->rated);
	v->rated = now;
	v->rated_records = v->records;
}

static void draw_status(struct view *v)
{
	char text[TEXT], rate[TCPHS_NUMBER_SIZE], lost[TCPHS_NUMBER_SIZE];
	int y = tcphs_screen_rows() - 1;

	if (*v->message) {
		tcphs_screen_row(y, v->message_bad ? TCPHS_LOOK_BAD : TCPHS_LOOK_BAR,
				 v->message, 0);
		return;
	}
	tcphs_number_count(v->rate, rate);
	tcphs_number_count(tcphs_input_lost(v->source), lost);
	switch (v->mode) {
	case MODE_LIST:
		snprintf(text, sizeof(text),
			 "%zu of %zu  %s records/s  %s lost   Enter ladder  / filter  ? help  q quit",
			 v->rows ? v->chosen + 1 : 0, v->rows, rate, lost);
		break;
	case MODE_LADDER:
		snprintf(text, sizeof(text), "#%lu  line %zu of %zu   w time  ? help  q back",
			 v->number, v->lines ? v->line + 1 : 0, v->lines);
		break;
	case MODE_HELP:
		snprintf(text, sizeof(text), "q back");
		break;
	}
	tcphs_screen_row(y, TCPHS_LOOK_BAR, text, 0);
}

static const char *prompt_name(const struct view *v)
{
	return v->prompt == PROMPT_FILTER ? "filter: " : "save as: ";
}

static void draw_prompt(struct view *v)
{
	int y = tcphs_screen_rows() - 1;
	char text[TEXT * 2];
	size_t used;

	used = snprintf(text, sizeof(text), "%s%s", prompt_name(v), v->input);
	tcphs_screen_row(y, v->input_bad ? TCPHS_LOOK_BAD : TCPHS_LOOK_BAR, text, 0);
	/* What is wrong is said, not only shown by a colour. */
	if (v->input_bad)
		tcphs_screen_row(y - 1, TCPHS_LOOK_BAD, v->message, 0);
	tcphs_screen_cursor(y, used);
}

static void draw(struct view *v)
{
	/* While it is paused, too: the size of the terminal may be another. */
	find_rows(v);
	switch (v->mode) {
	case MODE_LIST:
		draw_list(v);
		break;
	case MODE_LADDER:
		draw_ladder(v);
		break;
	case MODE_HELP:
		draw_help(v);
		break;
	}
	tcphs_screen_cursor(0, -1);
	if (v->prompt)
		draw_prompt(v);
	else
		draw_status(v);
	tcphs_screen_show();
}

/* ---- prompts -------------------------------------------------------------- */

static void try_filter(struct view *v, bool take_it)
{
	struct tcphs_filter *filter = NULL;

	v->input_bad = false;
	if (*v->input) {
		filter = tcphs_filter_new(v->input);
		v->input_bad = !filter;
	}
	if (!v->input_bad)
		v->message[0] = '\0';
	if (v->input_bad || !take_it) {
		tcphs_filter_free(filter);
		return;
	}
	tcphs_filter_free(v->filter);
	v->filter = filter;
	snprintf(v->expression, sizeof(v->expression), "%s", v->input);
	v->prompt = PROMPT_NONE;
}

static void save(struct view *v)
{
	const char *from = v->s->nfiles ? v->s->files[0] : NULL;
	char count[TCPHS_NUMBER_SIZE];
	uint64_t records = 0;

	v->prompt = PROMPT_NONE;
	if (!*v->input)
		return;
	v->message[0] = '\0';
	if (v->s->nfiles > 1) {
		say(v, "these are several recordings: they are saved already");
		return;
	}
	if (tcphs_record_save(from, v->input, &records) && *v->message)
		return;
	v->message_bad = false;
	snprintf(v->message, sizeof(v->message), "%s records written to %s: tcphs -r %s",
		 tcphs_number_count(records, count), v->input, v->input);
}

static void begin_prompt(struct view *v, enum prompt prompt)
{
	time_t now = time(NULL);
	struct tm tm;

	v->prompt = prompt;
	v->input_bad = false;
	v->message[0] = '\0';
	if (prompt == PROMPT_FILTER)
		strcpy(v->input, v->expression);
	else if (localtime_r(&now, &tm))
		strftime(v->input, sizeof(v->input), "tcphs-%Y%m%d-%H%M%S.tcphs", &tm);
}

static void prompt_key(struct view *v, int key)
{
	size_t used = strlen(v->input);

	if (key == TCPHS_KEY_ESCAPE) {
		v->prompt = PROMPT_NONE;
		v->message[0] = '\0';
		return;
	}
	if (key == TCPHS_KEY_ENTER) {
		if (v->prompt == PROMPT_FILTER)
			try_filter(v, true);
		else
			save(v);
		return;
	}
	if (key == TCPHS_KEY_ERASE && used)
		v->input[used - 1] = '\0';
	else if (key == 'U' - '@')
		v->input[0] = '\0';
	else if (key >= ' ' && key < TCPHS_KEY_ERASE && used + 1 < sizeof(v->input))
		snprintf(v->input + used, sizeof(v->input) - used, "%c", key);
	if (v->prompt == PROMPT_FILTER)
		try_filter(v, false);
}

/* ---- keys ----------------------------------------------------------------- */

/* The choice goes `by` rows down. */
static void choose(struct view *v, long by)
{
	long to = (long)v->chosen + by;

	if (!v->rows)
		return;
	if (to < 0)
		to = 0;
	if (to >= (long)v->rows)
		to = v->rows - 1;
	v->chosen = to;
	v->number = v->row[to].number;
	v->newest = false;
}

static void scroll_by(struct view *v, long by)
{
	if (by < 0 && (size_t)-by > v->line)
		v->line = 0;
	else
		v->line += by;
}

static void move_by(struct view *v, long by)
{
	if (v->mode == MODE_LIST)
		choose(v, by);
	else
		scroll_by(v, by);
}

static void next_time(struct view *v)
{
	static const enum tcphs_times next[] = {
		[TCPHS_TIMES_DEFAULT] = TCPHS_TIMES_DATE,
		[TCPHS_TIMES_DATE] = TCPHS_TIMES_EPOCH,
		[TCPHS_TIMES_EPOCH] = TCPHS_TIMES_DELTA,
		[TCPHS_TIMES_DELTA] = TCPHS_TIMES_NONE,
		[TCPHS_TIMES_NONE] = TCPHS_TIMES_DEFAULT,
		[TCPHS_TIMES_SINCE] = TCPHS_TIMES_DATE,
	};

	if (v->mode == MODE_LADDER)
		v->ladder.clock.times = next[v->ladder.clock.times];
	else
		v->list_time = (v->list_time + 1) % LIST_TIMES;
}

static void back(struct view *v, bool quit)
{
	switch (v->mode) {
	case MODE_LIST:
		v->quit = quit;
		break;
	case MODE_LADDER:
		v->mode = MODE_LIST;
		v->skip = 0;
		break;
	case MODE_HELP:
		v->mode = v->before_help;
		break;
	}
	v->line = 0;
}

static void open_ladder(struct view *v)
{
	if (v->mode != MODE_LIST || !v->number)
		return;
	v->mode = MODE_LADDER;
	/* The one that was chosen, not the newest then. */
	v->newest = false;
	v->line = v->skip = 0;
	free(v->text);
	v->text = NULL;
	v->lines = 0;
}

static void show_help(struct view *v)
{
	if (v->mode == MODE_HELP)
		return;
	v->before_help = v->mode;
	v->mode = MODE_HELP;
	v->line = 0;
}

static void plain_key(struct view *v, int key)
{
	long page = (long)room(v->mode == MODE_LIST ? 2 : 0);

	switch (key) {
	case 'q':
	case TCPHS_KEY_ESCAPE:
		back(v, key == 'q');
		break;
	case TCPHS_KEY_ENTER:
		open_ladder(v);
		break;
	case 'j':
	case TCPHS_KEY_DOWN:
		move_by(v, 1);
		break;
	case 'k':
	case TCPHS_KEY_UP:
		move_by(v, -1);
		break;
	case 'F' - '@':
	case TCPHS_KEY_PAGE_DOWN:
		move_by(v, page);
		break;
	case 'B' - '@':
	case TCPHS_KEY_PAGE_UP:
		move_by(v, -page);
		break;
	case 'g':
	case TCPHS_KEY_HOME:
		move_by(v, v->mode == MODE_LIST ? -(long)v->rows : -(long)v->lines);
		break;
	case 'G':
	case TCPHS_KEY_END:
		move_by(v, v->mode == MODE_LIST ? v->rows : v->lines);
		v->newest = v->mode == MODE_LIST;
		break;
	case 'h':
	case TCPHS_KEY_LEFT:
		v->skip -= v->skip < SIDEWAYS ? v->skip : SIDEWAYS;
		break;
	case 'l':
	case TCPHS_KEY_RIGHT:
		v->skip += SIDEWAYS;
		break;
	case '/':
		begin_prompt(v, PROMPT_FILTER);
		break;
	case 's':
		begin_prompt(v, PROMPT_SAVE);
		break;
	case 'p':
		if (!v->ended)
			set_paused(v, !v->paused);
		break;
	case 'w':
		next_time(v);
		break;
	case '?':
		show_help(v);
		break;
	}
}

static void handle_key(struct view *v, int key)
{
	/* Keys mean rows as they are drawn. */
	if (!v->row)
		find_rows(v);
	if (v->prompt) {
		if (key != TCPHS_KEY_RESIZE)
			prompt_key(v, key);
		return;
	}
	v->message[0] = '\0';
	plain_key(v, key);
}

/* ---- the command ---------------------------------------------------------- */

static void loop(struct view *v)
{
	uint64_t now;
	bool change = true;
	int key;

	while (!v->quit && !tcphs_stop_asked()) {
		if (!v->ended)
			read_turn(v);
		for (key = tcphs_screen_key(v->ended ? WAIT_MS : 0);
		     key != TCPHS_KEY_NONE && !v->quit; key = tcphs_screen_key(0)) {
			handle_key(v, key);
			change = true;
		}
		now = tcphs_stop_now();
		measure_rate(v, now);
		if (!change && now < v->drawn + DRAW_NS)
			continue;
		draw(v);
		v->drawn = now;
		change = false;
	}
}

static int check(const struct tcphs_settings *s)
{
	const char *term = getenv("TERM");

	if (s->json || s->count) {
		tcphs_message_print("live -i takes neither --json nor -n");
		return TCPHS_EXIT_USAGE;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || !*term ||
	    !strcmp(term, "dumb")) {
		tcphs_message_print("live -i needs a terminal: use `tcphs live`");
		return TCPHS_EXIT_USAGE;
	}
	return TCPHS_EXIT_DONE;
}

static struct view *begin(const struct tcphs_settings *s, struct tcphs_input *source)
{
	const struct tcphs_header *h = tcphs_input_header(source);
	struct view *v = tcphs_memory_get(1, sizeof(*v));

	v->s = s;
	v->source = source;
	v->newest = true;
	v->context.segments = h->segments;
	v->context.missing = h->missing;
	v->context.hosts = tcphs_input_hosts(source);
	tcphs_output_init(&v->ladder.output, s);
	v->ladder.timewait_unseen = h->missing & TCPHS_MISSING_TIMEWAIT_END;
	v->ladder.absolute = s->absolute;
	v->ladder.clock.times = s->times;
	v->ladder.clock.wall_offset = h->wall_offset;
	tcphs_input_wake(source, STDIN_FILENO);
	/* TIME_WAITs that last would fill the memory; a recording ends. */
	v->flow = tcphs_flow_new(!s->nfiles, give, v);
	if (s->nfiles < 2)
		tcphs_flow_complete(v->flow, h->complete);
	v->hold = tcphs_hold_new(take, v);
	v->shelf = tcphs_shelf_new();
	if (s->expression) {
		snprintf(v->expression, sizeof(v->expression), "%s", s->expression);
		v->filter = tcphs_filter_new(s->expression);
	}
	v->rated = tcphs_stop_now();
	return v;
}

static void finish(struct view *v)
{
	tcphs_hold_free(v->hold);
	tcphs_flow_free(v->flow);
	tcphs_shelf_free(v->shelf);
	tcphs_filter_free(v->filter);
	free(v->queue);
	free(v->text);
	free(v);
}

int tcphs_view_run(const struct tcphs_settings *s)
{
	struct tcphs_input *source;
	struct view *v;
	uint64_t lost;
	int status;

	status = check(s);
	if (status)
		return status;
	source = tcphs_input_open(s, !s->nfiles, &status);
	if (!source)
		return status;
	v = begin(s, source);
	tcphs_stop_catch(s->seconds);
	status = TCPHS_EXIT_FAILED;
	if (tcphs_screen_begin(v->ladder.output.color)) {
		tcphs_message_divert(say, v);
		loop(v);
		tcphs_message_divert(NULL, NULL);
		tcphs_screen_end();
		status = tcphs_input_status(source);
	}
	finish(v);
	lost = tcphs_input_lost(source);
	tcphs_input_close(source);
	if (!status && s->strict && lost)
		return TCPHS_EXIT_LOST;
	return status;
}
