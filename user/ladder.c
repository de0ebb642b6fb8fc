// SPDX-License-Identifier: GPL-2.0
/*
 * The ladder: time runs down, the client is on the left, the server on the
 * right, each with the states it enters; between them the segments.
 *
 *	   time  |  delta | client state | arrow | server state
 *
 * An arrow takes one row, at the time of its sending. Only where arrows cross
 * (both sides sent before they received) does one take two: its departure and,
 * further down, its arrival.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "caption.h"
#include "explain.h"
#include "ladder.h"
#include "listener.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "owner.h"
#include "rung.h"
#include "text.h"
#include "verdict.h"

enum {
	STATE = 11,		/* columns of "ESTABLISHED" */
	ARROW_MIN = 26,
	ARROW_MAX = 60,
	EXPLAIN_INDENT = 4,
	EXPLAIN_MIN = 16,
	EXPLAIN_MAX = 100,
	TEXT = TCPHS_CAPTION_SIZE,
};

/* The signs for drawing: box characters, or what every terminal has. */
struct signs {
	const char *line, *again, *right, *left, *lost, *foreign;
	const char *life, *wait, *gap, *dot, *to, *from;
	const char *right_leaves, *right_comes, *left_leaves, *left_comes;
};

static const struct signs box = {
	.line = "─", .again = "═", .right = "▶", .left = "◀", .lost = "✗",
	.foreign = "?", .life = "│", .wait = "┊", .gap = "┄", .dot = "·",
	.to = "→", .from = "←",
	.right_leaves = "╮", .right_comes = "╰", .left_leaves = "╭", .left_comes = "╯",
};

static const struct signs ascii = {
	.line = "-", .again = "=", .right = ">", .left = "<", .lost = "X",
	.foreign = "?", .life = "|", .wait = ":", .gap = "~", .dot = "|",
	.to = "->", .from = "<-",
	.right_leaves = ".", .right_comes = "`", .left_leaves = ".", .left_comes = "'",
};

/* A drawing on its way. */
struct drawing {
	const struct tcphs_ladder *l;
	const struct tcphs_connection *c;
	const struct tcphs_output *o;
	const struct signs *s;
	struct tcphs_rungs rungs;
	unsigned int time;	/* columns; 0 none */
	unsigned int delta;
	unsigned int arrow;
	uint64_t last;		/* ts of the row before */
	bool begun;
	unsigned int state[2];	/* of each side, as far as drawn */
	struct tcphs_explain explain;
	bool data_told;
};

/* ---- text of known columns ------------------------------------------------ */

#define append(text, ...) tcphs_text_append(text, TEXT, __VA_ARGS__)

static void repeat(char *text, const char *sign, size_t count)
{
	while (count--)
		append(text, "%s", sign);
}

static void print_padded(const char *text, size_t columns, bool right)
{
	size_t have = tcphs_output_columns(text);
	int pad = have < columns ? columns - have : 0;

	printf("%*s%s%*s", right ? pad : 0, "", text, right ? 0 : pad, "");
}

/* ---- columns -------------------------------------------------------------- */

static void time_text(const struct drawing *d, uint64_t ts, char text[TCPHS_CLOCK_SIZE])
{
	struct tcphs_clock clock = d->l->clock;
	uint64_t since = ts - d->c->start;

	switch (clock.times) {
	case TCPHS_TIMES_DEFAULT:
	case TCPHS_TIMES_SINCE:
		snprintf(text, TCPHS_CLOCK_SIZE, "%" PRIu64 ".%03u", since / 1000000,
			 (unsigned int)(since / 1000 % 1000));
		break;
	case TCPHS_TIMES_NONE:
	case TCPHS_TIMES_DELTA:
		text[0] = '\0';
		break;
	default:
		tcphs_clock_row(&clock, ts, text);
	}
}

static void delta_text(const struct drawing *d, uint64_t ts, char text[TCPHS_CLOCK_SIZE])
{
	uint64_t since = ts > d->last ? ts - d->last : 0;

	text[0] = '\0';
	if (d->begun)
		snprintf(text, TCPHS_CLOCK_SIZE, "+%" PRIu64 ".%03u", since / 1000000,
			 (unsigned int)(since / 1000 % 1000));
}

static void measure(struct drawing *d)
{
	char text[TCPHS_CLOCK_SIZE];
	enum tcphs_times times = d->l->clock.times;
	unsigned int fixed;
	size_t i;

	for (i = 0; i < d->rungs.count; i++) {
		/* Its row has no time. */
		if (d->rungs.rung[i].kind == TCPHS_RUNG_DATA)
			continue;
		time_text(d, d->rungs.rung[i].ts, text);
		if (strlen(text) > d->time)
			d->time = strlen(text);
		delta_text(d, d->rungs.rung[i].ts, text);
		if (strlen(text) > d->delta)
			d->delta = strlen(text);
		d->last = d->rungs.rung[i].ts;
		d->begun = true;
	}
	d->begun = false;
	if (times != TCPHS_TIMES_DEFAULT && times != TCPHS_TIMES_DELTA)
		d->delta = 0;
	if (d->time && d->time < 6)
		d->time = 6;
	if (d->delta && d->delta < 7)
		d->delta = 7;
	for (;;) {
		fixed = 2 * (STATE + 1) + (d->time ? d->time + 1 : 0) +
			(d->delta ? d->delta + 1 : 0);
		d->arrow = d->o->width > fixed ? d->o->width - fixed : 0;
		if (d->arrow >= ARROW_MIN || !d->delta || !d->time)
			break;
		/* A narrow terminal: the time tells enough. */
		d->delta = 0;
	}
	if (d->arrow < ARROW_MIN)
		d->arrow = ARROW_MIN;
	if (d->arrow > ARROW_MAX)
		d->arrow = ARROW_MAX;
}

static bool lives(const struct drawing *d, unsigned int side)
{
	return d->state[side] && d->state[side] != TCPHS_CLOSE;
}

/* A state's name, or the lifeline of a side whose socket lives, or nothing. */
static void state_cell(const struct drawing *d, unsigned int side, bool enters,
		       bool last)
{
	const char *name = enters ? tcphs_names_state(d->state[side]) : NULL;
	const char *sign = "";
	size_t have, left;

	if (!name && lives(d, side))
		sign = d->state[side] == TCPHS_TIME_WAIT ||
		       d->state[side] == TCPHS_LISTEN ? d->s->wait : d->s->life;
	if (name) {
		have = strlen(name);
		left = (STATE - have) / 2;
		printf("%*s%s%s%s", (int)left, "",
		       tcphs_output_paint(d->o, TCPHS_PAINT_STATE), name,
		       tcphs_output_plain(d->o));
	} else {
		have = tcphs_output_columns(sign);
		left = have ? STATE / 2 : 0;
		printf("%*s%s%s%s", (int)left, "",
		       tcphs_output_paint(d->o, TCPHS_PAINT_DIM), sign,
		       tcphs_output_plain(d->o));
	}
	/* No spaces at the end of a line. */
	if (!last)
		printf("%*s", (int)(STATE - left - have), "");
}

/* One line: `ts` 0 for a line that continues the one above. */
static void line(struct drawing *d, uint64_t ts, bool left, const char *middle,
		 enum tcphs_paint paint, bool right)
{
	char text[TCPHS_CLOCK_SIZE] = "";
	size_t used;
	bool blank;

	fputs(tcphs_output_paint(d->o, TCPHS_PAINT_DIM), stdout);
	if (d->time) {
		if (ts)
			time_text(d, ts, text);
		print_padded(text, d->time, true);
		putchar(' ');
	}
	text[0] = '\0';
	if (d->delta) {
		if (ts)
			delta_text(d, ts, text);
		print_padded(text, d->delta, true);
		putchar(' ');
	}
	fputs(tcphs_output_plain(d->o), stdout);
	if (ts) {
		d->last = ts;
		d->begun = true;
	}
	blank = !*middle && !right && !lives(d, 1);
	state_cell(d, 0, left, blank);
	if (blank) {
		putchar('\n');
		return;
	}
	putchar(' ');
	fputs(tcphs_output_paint(d->o, paint), stdout);
	fputs(middle, stdout);
	if (paint != TCPHS_PAINT_PLAIN)
		fputs(tcphs_output_plain(d->o), stdout);
	/* No spaces at the end of a line. */
	if (right || lives(d, 1)) {
		used = tcphs_output_columns(middle);
		printf("%*s", (int)(d->arrow > used ? d->arrow - used : 0) + 1, "");
		state_cell(d, 1, right, true);
	}
	putchar('\n');
}

/* Lines below a row, in the middle, broken between words. */
static void words(struct drawing *d, const char *text)
{
	char part[TEXT];
	size_t room = d->arrow - 3;

	while (*text) {
		size_t len = strlen(text);

		if (len > room) {
			len = room;
			while (len && text[len] != ' ')
				len--;
			if (!len)
				len = room;
		}
		snprintf(part, sizeof(part), "   %.*s", (int)len, text);
		line(d, 0, false, part, TCPHS_PAINT_DIM, false);
		text += len;
		while (*text == ' ')
			text++;
	}
}

/* ---- what it means (--explain) -------------------------------------------- */

/* A paragraph over the whole width: it may interrupt the lifelines. */
static void paragraph(const struct drawing *d, const char *text)
{
	size_t width = d->o->width < EXPLAIN_MAX ? d->o->width : EXPLAIN_MAX;
	size_t room = width < EXPLAIN_MIN + EXPLAIN_INDENT ? EXPLAIN_MIN :
							     width - EXPLAIN_INDENT;

	while (*text) {
		size_t len = strlen(text);

		if (len > room) {
			for (len = room; len && text[len] != ' '; len--)
				;
			if (!len)
				len = room;
		}
		printf("%*s%.*s\n", EXPLAIN_INDENT, "", (int)len, text);
		text += len;
		while (*text == ' ')
			text++;
	}
}

static void explain(struct drawing *d, const struct tcphs_rung *row)
{
	unsigned int parts = row->kind == TCPHS_RUNG_LEAVES ? TCPHS_EXPLAIN_LEAVES :
			     row->kind == TCPHS_RUNG_COMES ? TCPHS_EXPLAIN_COMES :
						      TCPHS_EXPLAIN_WHOLE;
	char *text;

	if (!row->step) {
		if (!d->data_told)
			paragraph(d, tcphs_explain_data());
		d->data_told = true;
		return;
	}
	text = tcphs_explain_step(&d->explain, row->step - d->c->steps, parts);
	if (text)
		paragraph(d, text);
	free(text);
}

/* Which rules decided the verdicts. */
static void explain_verdicts(const struct drawing *d)
{
	const char *close = tcphs_verdict_close(d->c->close);
	char text[TEXT] = "";

	append(text, "%s: %s", tcphs_verdict_open(d->c->open), d->c->open_rule);
	paragraph(d, text);
	if (!close)
		return;
	text[0] = '\0';
	append(text, "%s: %s", close, d->c->close_rule);
	paragraph(d, text);
}

/* ---- arrows --------------------------------------------------------------- */

static enum tcphs_paint paint_of(const struct tcphs_step *step)
{
	if (step->lost || step->foreign || step->kind == TCPHS_STEP_RESET ||
	    step->segment.flags & TCPHS_RST)
		return TCPHS_PAINT_BAD;
	if (step->retransmit)
		return TCPHS_PAINT_WARN;
	return TCPHS_PAINT_PLAIN;
}

/*
 * The arrow with `text` in it, `columns` wide. `open`: it does not reach the
 * other side on this row but turns down with this sign.
 */
static void arrow(const struct drawing *d, const struct tcphs_step *step,
		  const char *text, size_t columns, const char *turn, char out[TEXT])
{
	const char *bar = step->retransmit ? d->s->again : d->s->line;
	bool right = step->from == TCPHS_CLIENT;
	const char *head = turn ? turn : right ? d->s->right : d->s->left;
	const char *tail = step->foreign ? d->s->foreign : bar;
	size_t used, fill;

	out[0] = '\0';
	if (step->lost && !turn)
		head = d->s->lost;
	/* tail, bar, space, text, space, ..., head */
	used = 1 + 1 + (*text ? strlen(text) + 2 : 0) + 1;
	/* An arrow that is lost ends short of the other side. */
	fill = columns > used ? columns - used : 0;
	if (step->lost && !turn && fill > 4)
		fill -= 4;
	if (right) {
		append(out, "%s%s", tail, bar);
		if (*text)
			append(out, " %s ", text);
		repeat(out, bar, fill);
		append(out, "%s", head);
	} else {
		if (columns > used + fill)
			repeat(out, " ", columns - used - fill);
		append(out, "%s", head);
		repeat(out, bar, fill);
		if (*text)
			append(out, " %s ", text);
		append(out, "%s%s", bar, tail);
	}
}

/* Further states that the same step brought about, one line each. */
static void more_states(struct drawing *d, const struct tcphs_step *step,
			unsigned int side)
{
	const struct tcphs_entered *e = &step->entered[side];
	uint32_t i;

	for (i = 1; i < e->count; i++) {
		d->state[side] = d->c->side[side].states[e->begin + i].state;
		line(d, 0, side == 0, "", TCPHS_PAINT_PLAIN, side == 1);
	}
}

/* The first state that the step brings to this side, if any. */
static bool enter(struct drawing *d, const struct tcphs_step *step, unsigned int side)
{
	const struct tcphs_entered *e = &step->entered[side];

	if (!e->count)
		return false;
	d->state[side] = d->c->side[side].states[e->begin].state;
	return true;
}

static void below(struct drawing *d, const struct tcphs_step *step, bool isn)
{
	char text[TEXT] = "", options[TCPHS_CAPTION_SIZE];

	if (step->kind == TCPHS_STEP_SEGMENT && step->segment.flags & TCPHS_SYN) {
		if (isn)
			append(text, "[%" PRIu32 "] ", step->segment.seq);
		tcphs_caption_options(&step->segment, options);
		append(text, "%s", options);
		words(d, text);
	}
	if (step->note)
		words(d, step->note);
}

/* What is too long for any arrow stands above it, on as many lines as it takes. */
static void above(struct drawing *d, const struct tcphs_rung *row, char *text)
{
	uint64_t ts = row->ts;

	while (strlen(text) > d->arrow) {
		char *end = text + d->arrow;

		while (end > text && *end != ' ')
			end--;
		if (end == text)
			break;
		*end = '\0';
		line(d, ts, false, text, paint_of(row->step), false);
		text = end + 1;
		ts = 0;
	}
	line(d, ts, false, text, paint_of(row->step), false);
}

static void draw_arrow(struct drawing *d, const struct tcphs_rung *row)
{
	const struct tcphs_step *step = row->step;
	bool right = step->from == TCPHS_CLIENT;
	char text[TEXT], out[TEXT] = "";
	size_t columns = d->arrow;
	const char *turn = NULL;
	bool isn = true, left_in = false, right_in = false;

	if (row->kind == TCPHS_RUNG_LEAVES) {
		turn = right ? d->s->right_leaves : d->s->left_leaves;
		columns = d->arrow - d->arrow / 4;
	}
	tcphs_caption_segment(d->c, step, d->l->absolute, true, text);
	if (strlen(text) + 5 > columns) {
		isn = false;
		/* Without the ISN there may be room. */
		tcphs_caption_segment(d->c, step, d->l->absolute, false, text);
	}
	if (row->kind == TCPHS_RUNG_COMES) {
		size_t reach = d->arrow / 4;

		/* The corner stands below the one where it left. */
		if (right) {
			repeat(out, " ", d->arrow - reach - 1);
			append(out, "%s", d->s->right_comes);
			repeat(out, step->retransmit ? d->s->again : d->s->line,
			       reach - 1);
			append(out, "%s", d->s->right);
		} else {
			append(out, "%s", d->s->left);
			repeat(out, step->retransmit ? d->s->again : d->s->line,
			       reach - 1);
			append(out, "%s", d->s->left_comes);
		}
	} else {
		if (strlen(text) + 5 > columns) {
			above(d, row, text);
			text[0] = '\0';
		}
		if (row->kind == TCPHS_RUNG_LEAVES && !right)
			repeat(out, " ", d->arrow - columns);
		arrow(d, step, text, columns, turn, out + strlen(out));
	}
	if (row->kind != TCPHS_RUNG_COMES) {
		if (right)
			left_in = enter(d, step, 0);
		else
			right_in = enter(d, step, 1);
	}
	if (row->kind != TCPHS_RUNG_LEAVES) {
		if (right)
			right_in = enter(d, step, 1);
		else
			left_in = enter(d, step, 0);
	}
	line(d, *text || row->kind == TCPHS_RUNG_COMES ? row->ts : 0, left_in, out,
	     paint_of(step), right_in);
	if (row->kind != TCPHS_RUNG_COMES)
		more_states(d, step, step->from);
	if (row->kind != TCPHS_RUNG_LEAVES)
		more_states(d, step, !step->from);
	if (row->kind != TCPHS_RUNG_COMES)
		below(d, step, !isn);
}

static void draw_state(struct drawing *d, const struct tcphs_rung *row)
{
	const struct tcphs_step *step = row->step;
	bool left = enter(d, step, 0), right = enter(d, step, 1);
	bool fits = step->note && strlen(step->note) + 3 <= d->arrow;
	char text[TEXT] = "";

	if (fits)
		append(text, "   %s", step->note);
	line(d, row->ts, left, text, TCPHS_PAINT_DIM, right);
	more_states(d, step, 0);
	more_states(d, step, 1);
	if (step->note && !fits)
		words(d, step->note);
}

static void draw_data(struct drawing *d, const struct tcphs_rung *row)
{
	char text[TEXT] = "", back[TEXT] = "", count[TCPHS_NUMBER_SIZE];
	size_t used;

	if (row->bytes[TCPHS_CLIENT])
		append(text, "   %s B %s",
		       tcphs_number_count(row->bytes[TCPHS_CLIENT], count), d->s->to);
	if (row->bytes[TCPHS_SERVER])
		append(back, "%s %s B   ", d->s->from,
		       tcphs_number_count(row->bytes[TCPHS_SERVER], count));
	used = tcphs_output_columns(text) + tcphs_output_columns(back);
	if (*back)
		repeat(text, " ", d->arrow > used ? d->arrow - used : 1);
	append(text, "%s", back);
	line(d, 0, false, text, TCPHS_PAINT_PLAIN, false);
}

static void draw_gap(struct drawing *d, const struct tcphs_rung *row)
{
	char text[TEXT] = "";
	size_t used = strlen(row->step->note) + 2;
	size_t fill = d->arrow > used ? d->arrow - used : 2;

	repeat(text, d->s->gap, fill / 2);
	append(text, " %s ", row->step->note);
	repeat(text, d->s->gap, fill - fill / 2);
	line(d, row->ts, false, text, TCPHS_PAINT_BAD, false);
}

/* ---- what stands above ---------------------------------------------------- */

/* "client 10.9.0.1:50512" */
static void end_name(const struct drawing *d, unsigned int which, char text[TEXT])
{
	const struct tcphs_side *s = &d->c->side[which];
	char name[TCPHS_ADDRESS_SIZE] = "?";

	if (s->port)
		tcphs_address_end(s->address, s->inet6, s->port, name);
	snprintf(text, TEXT, "%s %s", which == TCPHS_CLIENT ? "client" : "server", name);
}

/* "python3/211  netns 4026532281" */
static void end_owner(const struct drawing *d, unsigned int which, char text[TEXT])
{
	const struct tcphs_side *s = &d->c->side[which];
	char comm[32], place[TCPHS_CAPTION_SIZE];

	text[0] = '\0';
	if (s->socket && s->owner.known)
		append(text, "%s/%" PRIu32 "  ",
		       tcphs_output_clean(s->owner.comm, comm, sizeof(comm)),
		       s->owner.pid);
	if (s->socket && s->closer.known)
		append(text, "closed by %s/%" PRIu32 "  ",
		       tcphs_output_clean(s->closer.comm, comm, sizeof(comm)),
		       s->closer.pid);
	if (!s->socket)
		append(text, "%s  ", tcphs_caption_absent(d->c, s));
	/* --owner has it in a line of its own. */
	if (!(d->l->owner && s->socket))
		append(text, "%s", tcphs_caption_place(d->c, s, place));
	while (*text && text[strlen(text) - 1] == ' ')
		text[strlen(text) - 1] = '\0';
}

/* One at the left, one at the right margin; below each other without room. */
static void margins(const struct drawing *d, const char *left, const char *right)
{
	size_t width = (d->time ? d->time + 1 : 0) + (d->delta ? d->delta + 1 : 0) +
		       2 * (STATE + 1) + d->arrow;
	size_t used = strlen(left) + strlen(right);

	if (used + 3 > width)
		printf("%s\n%s\n", left, right);
	else
		printf("%s%*s%s\n", left, (int)(width - used), "", right);
}

/* Items with dots between, in lines of the width. */
static void item(const struct drawing *d, size_t *used, const char *text)
{
	size_t columns = tcphs_output_columns(text);

	if (*used && *used + 3 + columns > d->o->width) {
		putchar('\n');
		*used = 0;
	}
	if (*used)
		printf(" %s ", d->s->dot);
	fputs(text, stdout);
	*used += columns + (*used ? 3 : 0);
}

static void summary(const struct drawing *d)
{
	const struct tcphs_connection *c = d->c;
	const char *close = tcphs_verdict_close(c->close);
	char text[TEXT] = "", span[TCPHS_NUMBER_SIZE];
	enum tcphs_paint paint = TCPHS_PAINT_GOOD;
	size_t used = 0;
	unsigned int side;
	bool opened = c->open <= TCPHS_OPEN_SYN_COOKIE;
	uint64_t lasted;

	if (!opened || c->close == TCPHS_CLOSE_RESET_BY_CLIENT ||
	    c->close == TCPHS_CLOSE_RESET_BY_SERVER || c->close == TCPHS_CLOSE_TIMED_OUT)
		paint = TCPHS_PAINT_BAD;
	fputs(tcphs_output_paint(d->o, paint), stdout);
	append(text, "%s", tcphs_verdict_open(c->open));
	if (opened)
		append(text, " open");
	else if (c->open == TCPHS_OPEN_UNSEEN)
		strcpy(text, "open unseen");
	if (c->opened)
		append(text, " %s", tcphs_number_span(c->opened, span));
	item(d, &used, text);
	if (close) {
		text[0] = '\0';
		if (c->close == TCPHS_CLOSE_OPEN)
			append(text, "still open");
		else if (c->close == TCPHS_CLOSE_UNSEEN)
			append(text, "close unseen");
		else if (c->close <= TCPHS_CLOSE_THREE_SEGMENT ||
			 c->close == TCPHS_CLOSE_SIMULTANEOUS)
			append(text, "%s close", close);
		else
			append(text, "%s", close);
		item(d, &used, text);
	}
	fputs(tcphs_output_plain(d->o), stdout);
	if (tcphs_connection_lasted(c, &lasted)) {
		snprintf(text, sizeof(text), "lasted %s", tcphs_number_span(lasted, span));
		item(d, &used, text);
	}
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];
		char count[TCPHS_NUMBER_SIZE];

		/* Of what never opened there are none. */
		if (!s->bytes_known || !close)
			continue;
		tcphs_number_count(s->bytes, count);
		if (side == TCPHS_CLIENT)
			snprintf(text, sizeof(text), "%s B %s", count, d->s->to);
		else
			snprintf(text, sizeof(text), "%s %s B", d->s->from, count);
		item(d, &used, text);
	}
	if (c->itself)
		item(d, &used, "connected to itself");
	if (c->whole != TCPHS_WHOLE_COMPLETE)
		fputs(tcphs_output_paint(d->o, TCPHS_PAINT_WARN), stdout);
	item(d, &used, tcphs_verdict_whole(c->whole));
	fputs(tcphs_output_plain(d->o), stdout);
	putchar('\n');
}

/* Sides whose TIME_WAIT has no end in the records; two hosts may have two reasons. */
static void write_unended(struct drawing *d)
{
	const char *said = NULL, *why;
	unsigned int side;

	for (side = 0; side < 2; side++) {
		if (d->state[side] != TCPHS_TIME_WAIT)
			continue;
		why = tcphs_caption_unended(&d->c->side[side]);
		if (why != said)
			words(d, why);
		said = why;
	}
}

void tcphs_ladder_connection(const struct tcphs_ladder *l,
			     const struct tcphs_connection *c, unsigned long number)
{
	struct drawing d = {
		.l = l,
		.c = c,
		.o = &l->output,
		.s = l->output.ascii ? &ascii : &box,
	};
	char date[TCPHS_CLOCK_SIZE], left[TEXT], right[TEXT];
	unsigned int side;
	bool shown = false;
	size_t i;

	fputs(tcphs_output_paint(d.o, TCPHS_PAINT_STRONG), stdout);
	if (number)
		printf("#%lu  ", number);
	printf("%s%s\n", tcphs_clock_date(&l->clock, c->start, date),
	       tcphs_output_plain(d.o));
	tcphs_rung_make(&d.rungs, c);
	measure(&d);
	end_name(&d, TCPHS_CLIENT, left);
	end_name(&d, TCPHS_SERVER, right);
	margins(&d, left, right);
	end_owner(&d, TCPHS_CLIENT, left);
	end_owner(&d, TCPHS_SERVER, right);
	margins(&d, left, right);
	if (l->owner) {
		tcphs_owner_side(&c->side[TCPHS_CLIENT], left);
		tcphs_owner_side(&c->side[TCPHS_SERVER], right);
		margins(&d, left, right);
	}
	summary(&d);
	if (l->explain) {
		tcphs_explain_begin(&d.explain, c, l->absolute);
		explain_verdicts(&d);
	}
	/* What was before the first event. */
	for (side = 0; side < 2; side++) {
		if (c->side[side].nstates) {
			d.state[side] = c->side[side].states[0].state;
			shown = true;
		}
	}
	if (shown)
		line(&d, 0, c->side[0].nstates, "", TCPHS_PAINT_PLAIN,
		     c->side[1].nstates);
	for (i = 0; i < d.rungs.count; i++) {
		const struct tcphs_rung *row = &d.rungs.rung[i];

		switch (row->kind) {
		case TCPHS_RUNG_ARROW:
		case TCPHS_RUNG_LEAVES:
		case TCPHS_RUNG_COMES:
			draw_arrow(&d, row);
			break;
		case TCPHS_RUNG_STATE:
			draw_state(&d, row);
			break;
		case TCPHS_RUNG_DATA:
			draw_data(&d, row);
			break;
		case TCPHS_RUNG_GAP:
			draw_gap(&d, row);
			break;
		}
		if (l->explain)
			explain(&d, row);
	}
	write_unended(&d);
	putchar('\n');
	tcphs_rung_free(&d.rungs);
}

void tcphs_ladder_listener(const struct tcphs_ladder *l, const struct tcphs_end *e)
{
	const struct tcphs_host *host = tcphs_host_of(l->hosts, e->netns);
	uint32_t netns = tcphs_host_netns(l->hosts, e->netns);
	const struct signs *s = l->output.ascii ? &ascii : &box;
	char name[TCPHS_ADDRESS_SIZE] = "?", time[TCPHS_CLOCK_SIZE], comm[32];
	char credentials[TCPHS_OWNER_SIZE], counts[TCPHS_LISTENER_SIZE];
	const struct tcphs_transition *owner = NULL;
	struct tcphs_clock clock = l->clock;
	bool begun = false;
	size_t i;

	if (clock.times != TCPHS_TIMES_EPOCH && clock.times != TCPHS_TIMES_DATE)
		clock.times = TCPHS_TIMES_DEFAULT;

	for (i = 0; i < e->records && !owner; i++)
		if (e->record[i].kind == TCPHS_TRANSITION &&
		    e->record[i].transition.has & TCPHS_HAS_OWNER)
			owner = &e->record[i].transition;
	if (e->tuple.lport)
		tcphs_address_end(e->tuple.local, e->tuple.inet6, e->tuple.lport, name);
	printf("%slistener%s  %s", tcphs_output_paint(&l->output, TCPHS_PAINT_STRONG),
	       tcphs_output_plain(&l->output), name);
	if (owner)
		printf("  %s/%" PRIu32,
		       tcphs_output_clean(owner->comm, comm, sizeof(comm)), owner->pid);
	if (tcphs_host_several(l->hosts) && host)
		printf("  on %s", host->name);
	if (l->owner)
		printf("  %s", tcphs_owner_listener(e, netns, credentials));
	else if (netns)
		printf("  netns %" PRIu32, netns);
	putchar('\n');
	for (i = 0; i < e->records; i++) {
		const struct tcphs_transition *t = &e->record[i].transition;

		if (e->record[i].kind != TCPHS_TRANSITION || t->old == t->new)
			continue;
		if (!begun)
			printf("  %s", tcphs_names_state(t->old));
		begun = true;
		printf(" %s %s %s", s->to, tcphs_names_state(t->new),
		       tcphs_clock_row(&clock, e->record[i].ts, time));
		if (t->has & TCPHS_HAS_BIRTH && t->new == TCPHS_LISTEN)
			printf(" backlog %" PRIu32, t->birth.backlog);
	}
	if (begun)
		putchar('\n');
	if (*tcphs_listener_text(e, counts))
		printf("  %s\n", counts);
	if (strcmp(tcphs_listener_whole(e), "complete"))
		printf("  %s%s%s\n", tcphs_output_paint(&l->output, TCPHS_PAINT_WARN),
		       tcphs_listener_whole(e), tcphs_output_plain(&l->output));
	putchar('\n');
}
