// SPDX-License-Identifier: GPL-2.0
/*
 * The ladder as a picture: time runs down, the client's states are a bar on the
 * left, the server's on the right, and each segment is a slanted line from its
 * sending to its arrival.
 *
 * Heights follow time loosely: what is later is never higher, and a longer wait
 * takes more room, but as its logarithm. First every moment gets its height
 * (place), then lines are drawn, then text above them.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "caption.h"
#include "course.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "picture.h"

enum {
	WIDTH = 900,
	MARGIN = 28,
	LEFT = 262,		/* the client's lane */
	RIGHT = 738,		/* the server's */
	BAR = 12,		/* how wide a lane is */
	TIME = 118,		/* times end here */
	SLANT = 22,		/* how far an arrow falls at least */
	LABEL = 15,		/* room above an arrow */
	LINE = 14,		/* one line below it */
	ROW = 17,		/* from one state's name to the next */
	STEPS_MAX = 180,
	LINES_MAX = 5,
	NEAR = 8,		/* so many arrows further none is crossed */
};

/* A wait from which on the picture has a break. */
#define BREAK_NS 500000000ULL

#define INK 0x1f2933
#define SOFT 0x616e7c
#define FAINT 0xcbd2d9
#define PALE 0xf3f5f7
#define BAD 0xb42318
#define AGAIN 0xa15c07
#define QUIET 0x486581

/* Where an arrow is, and what stands below it. */
struct arrow {
	bool placed;
	double y[2];		/* at its sender, at its receiver */
	char *line[LINES_MAX];
	size_t lines;
};

struct drawing {
	struct tcphs_picture *p;
	struct tcphs_canvas *v;
	const struct tcphs_connection *c;
	struct tcphs_course course;
	struct arrow *arrow;	/* of each step */
	double *y;		/* of each moment */
	double top;
	double bottom;
};

static const double lane[2] = { LEFT, RIGHT };

/* ---- text ----------------------------------------------------------------- */

static void write_at(struct drawing *d, double x, double y, double size, bool bold,
		     enum tcphs_canvas_anchor anchor, tcphs_color_t color,
		     const char *text)
{
	tcphs_canvas_write(d->v, &(struct tcphs_canvas_text){
		.x = x, .y = y, .size = size, .bold = bold, .anchor = anchor,
		.color = color,
	}, text);
}

/* Cut `text` between words into lines of `width`. */
static void add_lines(struct arrow *a, const char *text, double width, double size)
{
	while (*text && a->lines < LINES_MAX) {
		char part[TCPHS_CAPTION_SIZE];
		size_t len = 0, best = 0;

		for (;;) {
			size_t next = len + strcspn(text + len, " ");

			if (next >= sizeof(part))
				next = sizeof(part) - 1;
			snprintf(part, sizeof(part), "%.*s", (int)next, text);
			if (best && tcphs_canvas_width(size, false, part) > width)
				break;
			best = next;
			if (!text[next] || next == sizeof(part) - 1)
				break;
			len = next + 1;
		}
		snprintf(part, sizeof(part), "%.*s", (int)best, text);
		a->line[a->lines++] = tcphs_memory_text(part);
		text += best;
		while (*text == ' ')
			text++;
	}
}

static bool is_control(const struct tcphs_step *step)
{
	return step->kind == TCPHS_STEP_RESET ||
	       step->segment.flags & (TCPHS_SYN | TCPHS_FIN | TCPHS_RST);
}

static tcphs_color_t color_of(const struct tcphs_step *step)
{
	if (step->lost || step->foreign || step->kind == TCPHS_STEP_RESET ||
	    step->segment.flags & TCPHS_RST)
		return BAD;
	if (step->retransmit)
		return AGAIN;
	return is_control(step) ? INK : QUIET;
}

/* The lines below an arrow: options of a SYN, and the note. */
static void tell_lines(struct drawing *d, size_t i)
{
	const struct tcphs_step *step = &d->c->steps[i];
	struct arrow *a = &d->arrow[i];
	char text[TCPHS_CAPTION_SIZE];
	const double width = RIGHT - LEFT - 60, size = 10.5;

	if (step->note)
		add_lines(a, step->note, width, size);
	if (step->kind == TCPHS_STEP_SEGMENT && step->segment.flags & TCPHS_SYN)
		add_lines(a, tcphs_caption_options(&step->segment, text), width, size);
}

/* ---- heights -------------------------------------------------------------- */

/* Room for a wait: none below 1 us, 4 px for each power of ten. */
static double stretch(uint64_t ns)
{
	return ns < 1000 ? 0 : 4 * log10(ns / 1000.0);
}

struct placing {
	double y;		/* of the last moment that was seen */
	double state[2];	/* a state's name may stand from here on */
	double label;		/* an arrow's middle, less what it has above it */
	double time;		/* a time may stand from here on */
	double unseen[2];	/* last place of what was not seen at a side */
	unsigned int flying[2];	/* seen to be sent by a side, on the way */
};

static double at_least(double a, double b)
{
	return a > b ? a : b;
}

static void settle(struct drawing *d, struct placing *g, size_t step)
{
	struct arrow *a = &d->arrow[step];

	g->label = at_least(g->label, (a->y[0] + a->y[1]) / 2 + LINE * a->lines + 8);
}

static void place_leaves(struct drawing *d, struct placing *g,
			 const struct tcphs_moment *m, double y)
{
	const struct tcphs_step *step = &d->c->steps[m->step];
	struct arrow *a = &d->arrow[m->step];

	a->placed = true;
	/* It will cross another one: room for the words of both. */
	if (g->flying[!m->side])
		y += 16;
	/* Only the arrival was seen; it was sent some time before. */
	if (!step->sent)
		y = at_least(y, g->time) - SLANT;
	y = at_least(y, g->label + LABEL - SLANT / 2);
	y = at_least(y, g->unseen[m->side] + 8);
	if (step->sent) {
		y = at_least(y, g->time);
		a->y[0] = y;
		a->y[1] = y + SLANT;
		if (step->received)
			g->flying[m->side]++;
		else
			g->unseen[!m->side] = a->y[1];
	} else {
		a->y[0] = y;
		y += SLANT;
		a->y[1] = y;
		g->unseen[m->side] = a->y[0];
	}
	g->y = y;
	g->time = y + 26;
	settle(d, g, m->step);
}

/* A band of text across. */
static void place_band(struct placing *g, const struct tcphs_moment *m, double *y)
{
	*y = at_least(*y, g->label + 14);
	*y = at_least(*y, at_least(g->unseen[0], g->unseen[1]) + 18);
	if (m->kind != TCPHS_MOMENT_DATA) {
		*y = at_least(*y, g->time);
		g->time = *y + 26;
	}
	g->y = *y + 14;
	g->label = *y + 19;
	g->time = at_least(g->time, *y + 16);
}

/* A state has a time of its own only where no arrow tells it. */
static bool timed(const struct drawing *d, const struct tcphs_moment *m)
{
	if (m->kind == TCPHS_MOMENT_STATE)
		return m->step != SIZE_MAX &&
		       d->c->steps[m->step].kind == TCPHS_STEP_STATE;
	return m->kind != TCPHS_MOMENT_COMES && m->kind != TCPHS_MOMENT_DATA;
}

static void place(struct drawing *d)
{
	struct placing g = { .y = d->top, .label = d->top - 12, .time = d->top };
	const struct tcphs_moment *last = NULL;
	size_t i;

	g.state[0] = g.state[1] = d->top + ROW;
	g.unseen[0] = g.unseen[1] = d->top;
	for (i = 0; i < d->course.count; i++) {
		const struct tcphs_moment *m = &d->course.moment[i];
		uint64_t since = last && m->ts > last->ts ? m->ts - last->ts : 0;
		bool same = last && m->step != SIZE_MAX && m->step == last->step;
		double y = g.y + stretch(since) + (same ? 0 : 4);

		if (since >= BREAK_NS) {
			y = at_least(y + 20, g.label + 34);
			y = at_least(y, at_least(g.unseen[0], g.unseen[1]) + 34);
		}
		switch (m->kind) {
		case TCPHS_MOMENT_STATE:
			y = at_least(y, g.state[m->side]);
			if (timed(d, m)) {
				y = at_least(y, g.time);
				g.time = y + 26;
			}
			g.y = y;
			g.state[m->side] = y + ROW;
			break;
		case TCPHS_MOMENT_LEAVES:
			place_leaves(d, &g, m, y);
			y = g.y;
			break;
		case TCPHS_MOMENT_COMES:
			if (!d->c->steps[m->step].sent) {
				y = d->arrow[m->step].y[1];
			} else {
				y = at_least(y, d->arrow[m->step].y[0] + SLANT +
					     (same ? stretch(since) : 0));
				d->arrow[m->step].y[1] = y;
				g.flying[!m->side]--;
			}
			g.y = y;
			settle(d, &g, m->step);
			break;
		case TCPHS_MOMENT_DATA:
		case TCPHS_MOMENT_GAP:
		case TCPHS_MOMENT_OMITTED:
			place_band(&g, m, &y);
			break;
		}
		d->y[i] = y;
		last = m;
	}
	d->bottom = at_least(g.y + 22, g.label + 4);
	d->bottom = at_least(d->bottom, at_least(g.unseen[0], g.unseen[1]) + 12);
}

/* ---- lanes ---------------------------------------------------------------- */

static tcphs_color_t color_of_state(unsigned int state)
{
	switch (state) {
	case TCPHS_SYN_SENT:
	case TCPHS_SYN_RECV:
		return 0xf0b429;
	case TCPHS_ESTABLISHED:
		return 0x3f9142;
	case TCPHS_FIN_WAIT1:
		return 0x4098d7;
	case TCPHS_FIN_WAIT2:
		return 0x84c5f4;
	case TCPHS_CLOSING:
		return 0x2b6cb0;
	case TCPHS_CLOSE_WAIT:
		return 0xa368fc;
	case TCPHS_LAST_ACK:
		return 0x653cad;
	case TCPHS_TIME_WAIT:
		return 0xb8c4ce;
	}
	return TCPHS_CANVAS_NONE;
}

static void draw_stay(struct drawing *d, unsigned int side, unsigned int state,
		      double from, double to)
{
	tcphs_color_t color = color_of_state(state);

	if (to <= from)
		return;
	if (color != TCPHS_CANVAS_NONE)
		tcphs_canvas_rect(d->v, lane[side] - BAR / 2, from, BAR, to - from, 0,
				  color, TCPHS_CANVAS_NONE);
	else
		tcphs_canvas_line(d->v, lane[side], from, lane[side], to, 1.5, FAINT,
				  TCPHS_CANVAS_DOTTED);
}

static void write_state(struct drawing *d, unsigned int side, unsigned int state,
			double y)
{
	const char *name = tcphs_names_state(state);
	double gap = BAR / 2 + 9;

	if (!name)
		return;
	/* A tick that leads the eye to the bar. */
	tcphs_canvas_line(d->v, lane[side] - (side ? -BAR / 2 : BAR / 2), y,
			  lane[side] - (side ? -BAR / 2 - 6 : BAR / 2 + 6), y, 1, SOFT,
			  TCPHS_CANVAS_SOLID);
	write_at(d, lane[side] + (side ? gap : -gap), y + 4, 11.5, true,
		 side ? TCPHS_CANVAS_START : TCPHS_CANVAS_END, INK, name);
}

static void draw_lane(struct drawing *d, unsigned int side)
{
	const struct tcphs_side *s = &d->c->side[side];
	unsigned int state = s->nstates ? s->states[0].state : TCPHS_STATE_UNKNOWN;
	double from = d->top;
	size_t i;

	for (i = 0; i < d->course.count; i++) {
		const struct tcphs_moment *m = &d->course.moment[i];

		if (m->kind != TCPHS_MOMENT_STATE || m->side != side)
			continue;
		draw_stay(d, side, state, from, d->y[i]);
		state = m->state;
		from = d->y[i];
	}
	draw_stay(d, side, state, from, d->bottom);
}

static void write_states(struct drawing *d, unsigned int side)
{
	const struct tcphs_side *s = &d->c->side[side];
	size_t i;

	if (s->nstates)
		write_state(d, side, s->states[0].state, d->top);
	for (i = 0; i < d->course.count; i++) {
		const struct tcphs_moment *m = &d->course.moment[i];

		if (m->kind == TCPHS_MOMENT_STATE && m->side == side)
			write_state(d, side, m->state, d->y[i]);
	}
}

/* ---- arrows --------------------------------------------------------------- */

/* From bar to bar. */
static void ends_of(const struct drawing *d, size_t i, double x[2], double y[2])
{
	const struct tcphs_step *step = &d->c->steps[i];
	double half = BAR / 2 + 1;
	unsigned int from = step->from;

	x[0] = from == TCPHS_CLIENT ? LEFT + half : RIGHT - half;
	x[1] = from == TCPHS_CLIENT ? RIGHT - half : LEFT + half;
	y[0] = d->arrow[i].y[0];
	y[1] = d->arrow[i].y[1];
}

static void draw_head(struct drawing *d, double x, double y, double dx, double dy,
		      tcphs_color_t color)
{
	double length = sqrt(dx * dx + dy * dy), ux, uy;

	if (length < 1)
		return;
	ux = dx / length;
	uy = dy / length;
	tcphs_canvas_triangle(d->v, (const double[]){
		x, y,
		x - 11 * ux - 4.5 * uy, y - 11 * uy + 4.5 * ux,
		x - 11 * ux + 4.5 * uy, y - 11 * uy - 4.5 * ux,
	}, color);
}

static void draw_arrow(struct drawing *d, size_t i)
{
	const struct tcphs_step *step = &d->c->steps[i];
	tcphs_color_t color = color_of(step);
	enum tcphs_canvas_dash dash = step->lost ? TCPHS_CANVAS_DOTTED :
				      step->retransmit ? TCPHS_CANVAS_DASHED :
							 TCPHS_CANVAS_SOLID;
	double width = is_control(step) ? 1.8 : 1.3, x[2], y[2], dx, dy;

	ends_of(d, i, x, y);
	dx = x[1] - x[0];
	dy = y[1] - y[0];
	if (step->foreign) {
		/* It came from nowhere known. */
		x[0] += dx * 0.12;
		y[0] += dy * 0.12;
		write_at(d, x[0] + (dx > 0 ? -8 : 8), y[0] + 4, 13, true,
			 TCPHS_CANVAS_MIDDLE, color, "?");
	}
	if (step->lost) {
		double cx = x[0] + dx * 0.86, cy = y[0] + dy * 0.86;

		tcphs_canvas_line(d->v, x[0], y[0], cx, cy, width, color, dash);
		tcphs_canvas_line(d->v, cx - 6, cy - 6, cx + 6, cy + 6, 2.2, color,
				  TCPHS_CANVAS_SOLID);
		tcphs_canvas_line(d->v, cx - 6, cy + 6, cx + 6, cy - 6, 2.2, color,
				  TCPHS_CANVAS_SOLID);
		return;
	}
	tcphs_canvas_line(d->v, x[0], y[0], x[1] - dx * 0.015, y[1] - dy * 0.015, width,
			  color, dash);
	draw_head(d, x[1], y[1], dx, dy, color);
}

/* How far from its sender, 0 to 1, an arrow crosses another; else negative. */
static double crossing(const struct drawing *d, size_t i, size_t k)
{
	const struct arrow *a = &d->arrow[i], *b = &d->arrow[k];
	unsigned int from = d->c->steps[i].from;
	bool same = d->c->steps[k].from == from;
	/* Both from the sender's lane to the receiver's. */
	double fall = b->y[same ? 1 : 0] - b->y[same ? 0 : 1];
	double apart = b->y[same ? 0 : 1] - a->y[0];
	double slope = a->y[1] - a->y[0] - fall;

	if (fabs(slope) < 0.1)
		return -1;
	apart /= slope;
	return apart > 0.02 && apart < 0.98 ? apart : -1;
}

/* Where on its arrow text stands: in the middle of the longest clear stretch. */
static double clear_place(const struct drawing *d, size_t i)
{
	double at[2 * NEAR + 2] = { 0, 1 }, best = 0.5, longest = 0;
	size_t count = 2, k, m;

	for (k = i > NEAR ? i - NEAR : 0; k < d->c->nsteps && k <= i + NEAR; k++) {
		double t = k == i || !d->arrow[k].placed ? -1 : crossing(d, i, k);

		if (t < 0)
			continue;
		for (m = count++; m && at[m - 1] > t; m--)
			at[m] = at[m - 1];
		at[m] = t;
	}
	for (m = 1; m < count; m++) {
		if (at[m] - at[m - 1] > longest) {
			longest = at[m] - at[m - 1];
			best = (at[m] + at[m - 1]) / 2;
		}
	}
	return best;
}

/* Text along the arrow, `off` px below its line. */
static void write_along(struct drawing *d, size_t i, double off, double size,
			bool bold, tcphs_color_t color, const char *text)
{
	double x[2], y[2], middle, angle, half;

	ends_of(d, i, x, y);
	angle = atan((y[1] - y[0]) / (x[1] - x[0]));
	middle = clear_place(d, i);
	half = tcphs_canvas_width(size, bold, text) / 2 / (RIGHT - LEFT - BAR);
	/* Inside the lanes, when there is room. */
	if (half > 0.48)
		half = 0.48;
	if (middle < half + 0.02)
		middle = half + 0.02;
	if (middle > 0.98 - half)
		middle = 0.98 - half;
	tcphs_canvas_write(d->v, &(struct tcphs_canvas_text){
		.x = x[0] + (x[1] - x[0]) * middle - off * sin(angle),
		.y = y[0] + (y[1] - y[0]) * middle + off * cos(angle),
		.size = size,
		.bold = bold,
		.halo = true,
		.anchor = TCPHS_CANVAS_MIDDLE,
		.angle = angle * 57.29577951308232,
		.color = color,
	}, text);
}

static void write_arrow(struct drawing *d, size_t i)
{
	const struct tcphs_step *step = &d->c->steps[i];
	const struct arrow *a = &d->arrow[i];
	char text[TCPHS_CAPTION_SIZE];
	size_t k;

	tcphs_caption_segment(d->c, step, d->p->absolute, true, text);
	write_along(d, i, -5, 12, is_control(step), color_of(step), text);
	for (k = 0; k < a->lines; k++)
		write_along(d, i, 13 + LINE * k, 10.5, false,
			    color_of(step) == BAD || color_of(step) == AGAIN ?
			    color_of(step) : SOFT, a->line[k]);
}

/* ---- bands and times ------------------------------------------------------ */

static void write_band(struct drawing *d, double y, tcphs_color_t color,
		       enum tcphs_canvas_dash dash, const char *text)
{
	double middle = (LEFT + RIGHT) / 2.0;
	double half = tcphs_canvas_width(11.5, false, text) / 2 + 10;

	tcphs_canvas_line(d->v, LEFT + 20, y, middle - half, y, 1, color, dash);
	tcphs_canvas_line(d->v, middle + half, y, RIGHT - 20, y, 1, color, dash);
	write_at(d, middle, y + 4, 11.5, false, TCPHS_CANVAS_MIDDLE, color, text);
}

static void write_data(struct drawing *d, const struct tcphs_moment *m, double y)
{
	char text[64], count[TCPHS_NUMBER_SIZE];
	const double x = LEFT + 22, width = RIGHT - LEFT - 44;

	tcphs_canvas_rect(d->v, x, y - 11, width, 22, 11, PALE, TCPHS_CANVAS_NONE);
	if (m->bytes[TCPHS_CLIENT]) {
		snprintf(text, sizeof(text), "%s B →",
			 tcphs_number_count(m->bytes[TCPHS_CLIENT], count));
		write_at(d, x + 16, y + 4, 11.5, false, TCPHS_CANVAS_START, INK, text);
	}
	write_at(d, x + width / 2, y + 4, 10.5, false, TCPHS_CANVAS_MIDDLE, SOFT, "data");
	if (m->bytes[TCPHS_SERVER]) {
		snprintf(text, sizeof(text), "← %s B",
			 tcphs_number_count(m->bytes[TCPHS_SERVER], count));
		write_at(d, x + width - 16, y + 4, 11.5, false, TCPHS_CANVAS_END, INK,
			 text);
	}
}

/* A long wait: the lanes are broken, and how long it was stands between. */
static void draw_break(struct drawing *d, double y, uint64_t ns)
{
	char text[TCPHS_NUMBER_SIZE];
	unsigned int side;

	for (side = 0; side < 2; side++) {
		double x = lane[side];

		tcphs_canvas_line(d->v, x - 11, y + 4, x + 11, y - 4, 6, 0xffffff,
				  TCPHS_CANVAS_SOLID);
		tcphs_canvas_line(d->v, x - 11, y + 1, x + 11, y - 7, 1, SOFT,
				  TCPHS_CANVAS_SOLID);
		tcphs_canvas_line(d->v, x - 11, y + 7, x + 11, y - 1, 1, SOFT,
				  TCPHS_CANVAS_SOLID);
	}
	write_band(d, y, SOFT, TCPHS_CANVAS_DOTTED, tcphs_number_span(ns, text));
}

static void draw_breaks(struct drawing *d)
{
	size_t i;

	for (i = 1; i < d->course.count; i++) {
		const struct tcphs_moment *m = &d->course.moment[i];
		uint64_t since = m->ts > m[-1].ts ? m->ts - m[-1].ts : 0;
		double y = d->y[i];

		if (since < BREAK_NS)
			continue;
		/* Above what an arrow has above itself. */
		if (m->kind == TCPHS_MOMENT_LEAVES && !d->c->steps[m->step].sent)
			y -= SLANT;
		draw_break(d, y - 20, since);
	}
}

/* Since the first event, and since the time above. */
static void write_times(struct drawing *d)
{
	double last_y = -100;
	uint64_t last = 0;
	bool begun = false;
	char text[48];
	size_t i;

	for (i = 0; i < d->course.count; i++) {
		const struct tcphs_moment *m = &d->course.moment[i];
		uint64_t since = m->ts - d->c->start;

		/* At the same height it is the same time, nearly. */
		if (!timed(d, m) || d->y[i] < last_y + 12)
			continue;
		snprintf(text, sizeof(text), "%" PRIu64 ".%03u", since / 1000000,
			 (unsigned int)(since / 1000 % 1000));
		write_at(d, TIME, d->y[i] + 4, 11, false, TCPHS_CANVAS_END, INK, text);
		if (begun) {
			since = m->ts > last ? m->ts - last : 0;
			snprintf(text, sizeof(text), "+%" PRIu64 ".%03u",
				 since / 1000000, (unsigned int)(since / 1000 % 1000));
			write_at(d, TIME, d->y[i] + 16, 9.5, false, TCPHS_CANVAS_END,
				 SOFT, text);
		}
		begun = true;
		last = m->ts;
		last_y = d->y[i];
	}
}

/* What a row has that is not an arrow, beside its lane or across. */
static void write_rest(struct drawing *d)
{
	char text[TCPHS_CAPTION_SIZE], count[TCPHS_NUMBER_SIZE];
	size_t i;

	for (i = 0; i < d->course.count; i++) {
		const struct tcphs_moment *m = &d->course.moment[i];
		const struct tcphs_step *step =
			m->step == SIZE_MAX ? NULL : &d->c->steps[m->step];

		switch (m->kind) {
		case TCPHS_MOMENT_STATE:
			if (!step || step->kind != TCPHS_STEP_STATE || !step->note)
				break;
			write_at(d, m->side ? RIGHT - 16 : LEFT + 16, d->y[i] + 4, 10.5,
				 false, m->side ? TCPHS_CANVAS_END : TCPHS_CANVAS_START,
				 SOFT, step->note);
			break;
		case TCPHS_MOMENT_DATA:
			write_data(d, m, d->y[i]);
			break;
		case TCPHS_MOMENT_GAP:
			write_band(d, d->y[i], BAD, TCPHS_CANVAS_DASHED, step->note);
			break;
		case TCPHS_MOMENT_OMITTED:
			snprintf(text, sizeof(text), "%s step%s left out here",
				 tcphs_number_count(m->count, count),
				 tcphs_number_plural(m->count));
			write_band(d, d->y[i], SOFT, TCPHS_CANVAS_DASHED, text);
			break;
		default:
			break;
		}
	}
}

/* ---- what stands above ---------------------------------------------------- */

/* "ISN 1234567890 · 5 B sent" */
static void numbers_of(const struct tcphs_side *s, char *text, size_t size)
{
	char count[TCPHS_NUMBER_SIZE], isn[32] = "", bytes[64] = "";

	if (s->isn_known)
		snprintf(isn, sizeof(isn), "ISN %" PRIu32, s->isn);
	if (s->bytes_known)
		snprintf(bytes, sizeof(bytes), "%s B sent",
			 tcphs_number_count(s->bytes, count));
	snprintf(text, size, "%s%s%s", isn, *isn && *bytes ? " · " : "", bytes);
}

static void write_side(struct drawing *d, unsigned int side, double y)
{
	const struct tcphs_side *s = &d->c->side[side];
	enum tcphs_canvas_anchor anchor = side ? TCPHS_CANVAS_END : TCPHS_CANVAS_START;
	char text[TCPHS_CAPTION_SIZE], place[TCPHS_CAPTION_SIZE];
	char owner[2 * TCPHS_CAPTION_SIZE + 8];
	double x = side ? WIDTH - MARGIN : MARGIN;

	write_at(d, x, y, 10.5, true, anchor, SOFT, side ? "SERVER" : "CLIENT");
	write_at(d, x, y + 18, 14, true, anchor, INK, tcphs_caption_end(s, text));
	tcphs_caption_owner(d->c, s, text);
	tcphs_caption_place(d->c, s, place);
	snprintf(owner, sizeof(owner), "%s%s%s", text, *text && *place ? " · " : "", place);
	write_at(d, x, y + 35, 11.5, false, anchor, INK, owner);
	numbers_of(s, text, sizeof(text));
	write_at(d, x, y + 51, 11.5, false, anchor, SOFT, text);
}

static void write_heading(struct drawing *d, double y, unsigned long number)
{
	char text[TCPHS_CAPTION_SIZE], date[TCPHS_CLOCK_SIZE];
	tcphs_color_t color = d->c->whole == TCPHS_WHOLE_COMPLETE ? 0x3f9142 : 0xf0b429;

	if (d->c->open == TCPHS_OPEN_REFUSED || d->c->open == TCPHS_OPEN_TIMED_OUT ||
	    d->c->open == TCPHS_OPEN_RESET ||
	    d->c->close == TCPHS_CLOSE_RESET_BY_CLIENT ||
	    d->c->close == TCPHS_CLOSE_RESET_BY_SERVER ||
	    d->c->close == TCPHS_CLOSE_TIMED_OUT)
		color = BAD;
	tcphs_canvas_rect(d->v, MARGIN, y - 22, 4, 34, 2, color, TCPHS_CANVAS_NONE);
	write_at(d, MARGIN + 14, y - 8, 17, true, TCPHS_CANVAS_START, INK,
		 tcphs_caption_verdict(d->c, text));
	snprintf(text, sizeof(text), "#%lu · %s · times in ms", number,
		 tcphs_clock_date(&d->p->clock, d->c->start, date));
	write_at(d, MARGIN + 14, y + 10, 11, false, TCPHS_CANVAS_START, SOFT, text);
	write_side(d, TCPHS_CLIENT, y + 40);
	write_side(d, TCPHS_SERVER, y + 40);
}

/* A side whose TIME_WAIT has no end in the records. */
static void write_unended(struct drawing *d)
{
	unsigned int side;
	bool said = false;

	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &d->c->side[side];

		if (!s->nstates || s->states[s->nstates - 1].state != TCPHS_TIME_WAIT ||
		    (d->c->itself && side))
			continue;
		write_at(d, side ? RIGHT - 16 : LEFT + 16, d->bottom + 2, 10.5, false,
			 side ? TCPHS_CANVAS_END : TCPHS_CANVAS_START, SOFT,
			 tcphs_caption_unended(s));
		said = true;
	}
	if (said)
		d->bottom += 6;
}

void tcphs_picture_connection(struct tcphs_picture *p,
			      const struct tcphs_connection *c, unsigned long number)
{
	struct drawing d = { .p = p, .v = p->canvas, .c = c };
	double y = p->height + 46;
	unsigned int side;
	size_t i, k;

	if (p->connections++) {
		y += 8;
		tcphs_canvas_line(d.v, MARGIN, p->height, WIDTH - MARGIN, p->height, 1,
				  FAINT, TCPHS_CANVAS_SOLID);
	}
	tcphs_course_find(&d.course, c, STEPS_MAX);
	d.arrow = tcphs_memory_get(c->nsteps + 1, sizeof(*d.arrow));
	d.y = tcphs_memory_get(d.course.count + 1, sizeof(*d.y));
	d.top = y + 124;
	for (i = 0; i < d.course.count; i++)
		if (d.course.moment[i].kind == TCPHS_MOMENT_LEAVES)
			tell_lines(&d, d.course.moment[i].step);
	place(&d);
	write_heading(&d, y, number);
	for (side = 0; side < 2; side++)
		draw_lane(&d, side);
	draw_breaks(&d);
	for (i = 0; i < c->nsteps; i++)
		if (d.arrow[i].placed)
			draw_arrow(&d, i);
	for (side = 0; side < 2; side++)
		write_states(&d, side);
	for (i = 0; i < c->nsteps; i++)
		if (d.arrow[i].placed)
			write_arrow(&d, i);
	write_times(&d);
	write_rest(&d);
	write_unended(&d);
	p->height = d.bottom + 26;
	for (i = 0; i < c->nsteps; i++)
		for (k = 0; k < d.arrow[i].lines; k++)
			free(d.arrow[i].line[k]);
	free(d.arrow);
	free(d.y);
	tcphs_course_free(&d.course);
}

void tcphs_picture_say(struct tcphs_picture *p, const char *text)
{
	p->height += 34;
	tcphs_canvas_write(p->canvas, &(struct tcphs_canvas_text){
		.x = WIDTH / 2.0, .y = p->height - 12, .size = 12.5,
		.anchor = TCPHS_CANVAS_MIDDLE, .color = SOFT,
	}, text);
}

const char *tcphs_picture_finish(struct tcphs_picture *p, FILE *to)
{
	return tcphs_canvas_finish(p->canvas, WIDTH, p->height + 4, "TCP connections", to);
}
