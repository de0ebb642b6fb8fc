// SPDX-License-Identifier: GPL-2.0
/*
 * Each address and port is a participant, so that the connections of one server
 * share its line. A segment is one arrow, at its sending; solid is sent once,
 * dashed again, and one that ends in a cross was lost. States are notes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "caption.h"
#include "course.h"
#include "memory.h"
#include "mermaid.h"
#include "names.h"
#include "number.h"

enum { STEPS_MAX = 180 };

/* Mermaid's maxTextSize, where nobody sets it; and what the remarks at the end may take of it. */
enum { DRAWN_MAX = 50000, REMARKS = 200 };

struct participant {
	uint8_t address[16];
	uint16_t port;
	bool inet6;
	uint32_t netns;
	const struct tcphs_host *host;
};

struct tcphs_mermaid {
	FILE *to;
	struct tcphs_clock clock;
	bool absolute;
	struct participant *participant;
	size_t count;
	size_t room;
	size_t characters;
};

/* As JavaScript counts those of UTF-8, of which none here is above U+FFFF. */
static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static void put(struct tcphs_mermaid *m, const char *text)
{
	fputs(text, m->to);
	m->characters += characters(text);
}

struct tcphs_mermaid *tcphs_mermaid_new(FILE *to, const struct tcphs_clock *clock,
					bool absolute)
{
	struct tcphs_mermaid *m = tcphs_memory_get(1, sizeof(*m));

	m->to = to;
	m->clock = *clock;
	m->absolute = absolute;
	put(m, "sequenceDiagram\n");
	return m;
}

void tcphs_mermaid_free(struct tcphs_mermaid *m)
{
	if (!m)
		return;
	free(m->participant);
	free(m);
}

/* What could end a statement or begin another one is written as its number. */
static void text(FILE *f, const char *text)
{
	for (; *text; text++) {
		unsigned char c = *text;

		if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || (c && strchr(" .,:/=_+()[]-", c)))
			putc(c, f);
		else
			fprintf(f, "#%u;", c);
	}
}

/* The participant's number, from 1; *is_new: it was not there before. */
static size_t find(struct tcphs_mermaid *m, const struct tcphs_side *s, bool *is_new)
{
	struct participant p;
	size_t i;

	memset(&p, 0, sizeof(p));
	memcpy(p.address, s->address, sizeof(p.address));
	p.port = s->port;
	p.inet6 = s->inet6;
	p.netns = s->netns;
	p.host = s->host;
	*is_new = false;
	for (i = 0; i < m->count; i++)
		if (!memcmp(&m->participant[i], &p, sizeof(p)))
			return i + 1;
	*is_new = true;
	m->participant = tcphs_memory_grow(m->participant, m->count, &m->room,
					   sizeof(*m->participant));
	m->participant[m->count] = p;
	return ++m->count;
}

static void introduce(struct tcphs_mermaid *m, const struct tcphs_connection *c,
		      size_t id[2])
{
	char piece[TCPHS_CAPTION_SIZE], owner[TCPHS_CAPTION_SIZE];
	unsigned int side;
	bool is_new;

	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		id[side] = find(m, s, &is_new);
		if (!is_new)
			continue;
		fprintf(m->to, "    participant P%zu as %s<br/>", id[side],
			tcphs_caption_side(side));
		text(m->to, tcphs_caption_end(s, piece));
		tcphs_caption_owner(c, s, owner);
		if (*owner) {
			fputs("<br/>", m->to);
			text(m->to, owner);
		}
		tcphs_caption_place(c, s, piece);
		if (*piece) {
			fputs("<br/>", m->to);
			text(m->to, piece);
		}
		putc('\n', m->to);
	}
}

static void note_over(struct tcphs_mermaid *m, const size_t id[2])
{
	if (id[0] == id[1])
		fprintf(m->to, "    Note over P%zu: ", id[0]);
	else
		fprintf(m->to, "    Note over P%zu,P%zu: ", id[0], id[1]);
}

static void heading(struct tcphs_mermaid *m, const struct tcphs_connection *c,
		    const size_t id[2], unsigned long number)
{
	char piece[TCPHS_CAPTION_SIZE], date[TCPHS_CLOCK_SIZE];
	unsigned int side;

	note_over(m, id);
	snprintf(piece, sizeof(piece), "#%lu ", number);
	text(m->to, piece);
	text(m->to, tcphs_clock_date(&m->clock, c->start, date));
	fputs("<br/>", m->to);
	text(m->to, tcphs_caption_verdict(c, piece));
	for (side = 0; side < 2; side++) {
		fprintf(m->to, "<br/>%s ", tcphs_caption_side(side));
		text(m->to, tcphs_caption_end(&c->side[side], piece));
		tcphs_caption_owner(c, &c->side[side], piece);
		if (*piece) {
			fputs(", ", m->to);
			text(m->to, piece);
		}
		if (c->side[side].isn_known)
			fprintf(m->to, ", ISN %" PRIu32, c->side[side].isn);
	}
	putc('\n', m->to);
}

static void arrow(struct tcphs_mermaid *m, const struct tcphs_connection *c,
		  const struct tcphs_step *step, const size_t id[2])
{
	const char *sign = step->lost ? step->retransmit ? "--x" : "-x" :
			   step->retransmit ? "-->>" : "->>";
	char piece[TCPHS_CAPTION_SIZE];

	fprintf(m->to, "    P%zu%sP%zu: ", id[step->from], sign, id[!step->from]);
	text(m->to, tcphs_caption_segment(c, step, m->absolute, true, piece));
	if (step->note) {
		fputs("<br/>", m->to);
		text(m->to, step->note);
	}
	putc('\n', m->to);
}

static void state(struct tcphs_mermaid *m, size_t id, unsigned int state,
		  const char *note)
{
	const char *name = tcphs_names_state(state);

	if (!name)
		return;
	fprintf(m->to, "    Note over P%zu: %s", id, name);
	if (note) {
		fputs("<br/>", m->to);
		text(m->to, note);
	}
	putc('\n', m->to);
}

static void data(struct tcphs_mermaid *m, const struct tcphs_moment *moment,
		 const size_t id[2])
{
	char count[TCPHS_NUMBER_SIZE];
	unsigned int side;

	note_over(m, id);
	for (side = 0; side < 2; side++)
		if (moment->bytes[side])
			fprintf(m->to, "%s%s B by the %s",
				side && moment->bytes[0] ? ", " : "",
				tcphs_number_count(moment->bytes[side], count),
				tcphs_caption_side(side));
	putc('\n', m->to);
}

static void moment(struct tcphs_mermaid *m, const struct tcphs_connection *c,
		   const struct tcphs_moment *o, const size_t id[2])
{
	const struct tcphs_step *step = o->step == SIZE_MAX ? NULL : &c->steps[o->step];
	char count[TCPHS_NUMBER_SIZE];

	switch (o->kind) {
	case TCPHS_MOMENT_STATE:
		if (!c->itself || o->side == TCPHS_CLIENT)
			state(m, id[o->side], o->state,
			      step && step->kind == TCPHS_STEP_STATE ? step->note : NULL);
		break;
	case TCPHS_MOMENT_LEAVES:
		arrow(m, c, step, id);
		break;
	case TCPHS_MOMENT_COMES:
		break;
	case TCPHS_MOMENT_DATA:
		data(m, o, id);
		break;
	case TCPHS_MOMENT_GAP:
		note_over(m, id);
		text(m->to, step->note);
		putc('\n', m->to);
		break;
	case TCPHS_MOMENT_OMITTED:
		note_over(m, id);
		fprintf(m->to, "%s step%s left out here\n",
			tcphs_number_count(o->count, count), tcphs_number_plural(o->count));
		break;
	}
}

static void draw(struct tcphs_mermaid *m, const struct tcphs_connection *c,
		 unsigned long number)
{
	struct tcphs_course course;
	unsigned int side;
	size_t id[2], i;

	introduce(m, c, id);
	heading(m, c, id, number);
	for (side = 0; side < 2; side++)
		if (c->side[side].nstates && !(c->itself && side))
			state(m, id[side], c->side[side].states[0].state, NULL);
	tcphs_course_find(&course, c, STEPS_MAX);
	for (i = 0; i < course.count; i++)
		moment(m, c, &course.moment[i], id);
	tcphs_course_free(&course);
}

bool tcphs_mermaid_connection(struct tcphs_mermaid *m, const struct tcphs_connection *c,
			      unsigned long number, bool always)
{
	size_t participants = m->count, size;
	FILE *to = m->to;
	char *drawn;
	bool fits;

	m->to = open_memstream(&drawn, &size);
	if (!m->to)
		tcphs_memory_fail();
	draw(m, c, number);
	if (fclose(m->to))
		tcphs_memory_fail();
	m->to = to;
	fits = always || m->characters + characters(drawn) <= DRAWN_MAX - REMARKS;
	if (fits)
		put(m, drawn);
	else
		m->count = participants;
	free(drawn);
	return fits;
}

size_t tcphs_mermaid_too_long(const struct tcphs_mermaid *m)
{
	return m->characters > DRAWN_MAX ? m->characters : 0;
}

void tcphs_mermaid_say(struct tcphs_mermaid *m, const char *text_)
{
	fputs("    %% ", m->to);
	text(m->to, text_);
	putc('\n', m->to);
}
