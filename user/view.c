// SPDX-License-Identifier: GPL-2.0
/*
 * `tcphs live -i`: a list of connections that goes on, and the ladder of the one
 * that is chosen. Records are read in turns with keys; what is drawn is made
 * anew each time from the flow and the shelf, so that nothing can be out of date.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "browser.h"
#include "clock.h"
#include "memory.h"
#include "message.h"
#include "number.h"
#include "output.h"
#include "screen.h"
#include "stop.h"
#include "view.h"

#define DRAW_NS 250000000ULL
#define RATE_NS 1000000000ULL
#define TURN_NS 30000000ULL	/* reading, before keys are looked at */

enum {
	TURN = 4096,		/* records */
	WAIT_MS = 100,
	PAUSED_MAX = 1 << 18,	/* records kept while paused: 32 MiB */
};

/* Messages come here while the screen is ours. */
static void say(void *arg, const char *text)
{
	tcphs_view_say(arg, text);
}

void tcphs_view_say(struct tcphs_view *v, const char *text)
{
	snprintf(v->message, sizeof(v->message), "%s", text);
	v->message_bad = true;
}

/* ---- records -------------------------------------------------------------- */

static void give(void *arg, const struct tcphs_end *a, const struct tcphs_end *b)
{
	unsigned long number = a->number || !b ? a->number : b->number;
	struct tcphs_view *v = arg;

	if (a->role != TCPHS_ROLE_LISTENER && number)
		tcphs_shelf_keep(v->shelf, number, tcphs_connection_new(&v->context, a, b));
}

static void take(void *arg, const struct tcphs_record *r)
{
	struct tcphs_view *v = arg;

	v->row = NULL;
	if (!v->first)
		v->first = r->ts;
	if (r->ts > v->context.last)
		v->context.last = r->ts;
	tcphs_flow_feed(v->flow, r);
	if (r->kind != TCPHS_LOST)
		tcphs_shelf_take(v->shelf, tcphs_flow_number(v->flow, tcphs_flow_find(v->flow, r)), r);
}

static void idle(struct tcphs_view *v)
{
	uint64_t now = tcphs_stop_now();

	tcphs_hold_idle(v->hold, now);
	tcphs_flow_advance(v->flow, now);
	v->row = NULL;
}

static void end(struct tcphs_view *v)
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

static void accept_record(struct tcphs_view *v, const struct tcphs_record *r)
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
static void read_turn(struct tcphs_view *v)
{
	uint64_t begun = tcphs_stop_now();
	struct tcphs_record r;
	unsigned int i;

	for (i = 0; i < TURN && !v->ended; i++) {
		/* The stock and the module's ring keep the rest. */
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

void tcphs_view_pause(struct tcphs_view *v, bool paused)
{
	size_t i;

	v->paused = paused;
	if (paused)
		return;
	for (i = 0; i < v->queued; i++)
		tcphs_hold_feed(v->hold, &v->queue[i]);
	v->queued = 0;
}

/* ---- the screen ------------------------------------------------------------ */

/* How many rows there are between the headings and the line at the bottom. */
size_t tcphs_view_room(unsigned int headings)
{
	int rows = tcphs_screen_rows() - (int)headings - 1;

	return rows > 0 ? rows : 0;
}

static void measure_rate(struct tcphs_view *v, uint64_t now)
{
	if (now < v->rated + RATE_NS)
		return;
	v->rate = (v->records - v->rated_records) * 1000000000 / (now - v->rated);
	v->rated = now;
	v->rated_records = v->records;
}

static void draw_status(struct tcphs_view *v)
{
	char text[TCPHS_VIEW_TEXT], rate[TCPHS_NUMBER_SIZE], lost[TCPHS_NUMBER_SIZE];
	int y = tcphs_screen_rows() - 1;

	if (*v->message) {
		tcphs_screen_row(y, v->message_bad ? TCPHS_LOOK_BAD : TCPHS_LOOK_BAR,
				 v->message, 0);
		return;
	}
	tcphs_number_count(v->rate, rate);
	tcphs_number_count(tcphs_input_lost(v->source), lost);
	switch (v->mode) {
	case TCPHS_VIEW_LIST:
		snprintf(text, sizeof(text),
			 "%zu of %zu  %s records/s  %s lost   Enter ladder  / filter  ? help  q quit",
			 v->rows ? v->chosen + 1 : 0, v->rows, rate, lost);
		break;
	case TCPHS_VIEW_LADDER:
		snprintf(text, sizeof(text), "#%lu  line %zu of %zu   w time  ? help  q back",
			 v->number, v->lines ? v->line + 1 : 0, v->lines);
		break;
	case TCPHS_VIEW_HELP:
		snprintf(text, sizeof(text), "q back");
		break;
	}
	tcphs_screen_row(y, TCPHS_LOOK_BAR, text, 0);
}

static void draw(struct tcphs_view *v)
{
	/* While it is paused, too: the size of the terminal may be another. */
	tcphs_rows_find(v);
	switch (v->mode) {
	case TCPHS_VIEW_LIST:
		tcphs_rows_draw(v);
		break;
	case TCPHS_VIEW_LADDER:
		tcphs_page_ladder(v);
		break;
	case TCPHS_VIEW_HELP:
		tcphs_page_help(v);
		break;
	}
	tcphs_screen_cursor(0, -1);
	if (v->prompt)
		tcphs_prompt_draw(v);
	else
		draw_status(v);
	tcphs_screen_show();
}

/* ---- the command ---------------------------------------------------------- */

static void loop(struct tcphs_view *v)
{
	uint64_t now;
	bool change = true;
	int key;

	while (!v->quit && !tcphs_stop_asked()) {
		if (!v->ended)
			read_turn(v);
		for (key = tcphs_screen_key(v->ended ? WAIT_MS : 0);
		     key != TCPHS_KEY_NONE && !v->quit; key = tcphs_screen_key(0)) {
			tcphs_keys_handle(v, key);
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

static struct tcphs_view *begin(const struct tcphs_settings *s, struct tcphs_input *source)
{
	const struct tcphs_header *h = tcphs_input_header(source);
	struct tcphs_view *v = tcphs_memory_get(1, sizeof(*v));

	v->s = s;
	v->source = source;
	v->newest = true;
	tcphs_connection_context(&v->context, h, tcphs_input_hosts(source));
	tcphs_output_init(&v->ladder.output, s);
	v->ladder.absolute = s->absolute;
	v->ladder.clock.times = s->times;
	v->ladder.clock.wall_offset = h->wall_offset;
	tcphs_input_wake(source, STDIN_FILENO);
	/* TIME_WAITs that last would fill the memory; a recording ends. */
	v->flow = tcphs_flow_new(!s->nfiles, give, v);
	v->hold = tcphs_hold_new(take, v);
	tcphs_flow_hosts(v->flow, v->context.hosts);
	tcphs_hold_hosts(v->hold, v->context.hosts);
	v->shelf = tcphs_shelf_new();
	if (s->expression) {
		snprintf(v->expression, sizeof(v->expression), "%s", s->expression);
		v->filter = tcphs_filter_new(s->expression);
	}
	v->rated = tcphs_stop_now();
	return v;
}

static void finish(struct tcphs_view *v)
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
	struct tcphs_view *v;
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
