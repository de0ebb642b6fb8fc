// SPDX-License-Identifier: GPL-2.0
/* `tcphs export`: connections as packets, as a picture or as a diagram. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "capture.h"
#include "command.h"
#include "help.h"
#include "mermaid.h"
#include "message.h"
#include "number.h"
#include "outlet.h"
#include "picture.h"
#include "story.h"

/* As many connections are drawn, unless -n says another number. */
#define DRAWN 20

enum format {
	PCAPNG,
	SVG,
	PNG,
	MERMAID,
	FORMATS,
};

static const char *const suffixes[FORMATS] = { ".pcapng", ".svg", ".png", ".mmd" };

struct export {
	const struct tcphs_settings *s;
	enum format format;
	struct tcphs_outlet out;
	bool begun;		/* the source is there */
	uint64_t number;
	uint64_t omitted;
	uint64_t packets;
	struct tcphs_capture *capture;
	struct tcphs_mermaid *mermaid;
	struct tcphs_picture picture;
};

/* ---- what comes ----------------------------------------------------------- */

static void header(void *arg, const struct tcphs_input *in)
{
	const struct tcphs_header *h = tcphs_input_header(in);
	struct export *e = arg;
	struct tcphs_clock clock = { .wall_offset = h->wall_offset };

	if (e->begun)
		return;
	e->begun = true;
	switch (e->format) {
	case PCAPNG:
		e->capture = tcphs_capture_new(e->out.to, h, tcphs_input_hosts(in),
					       tcphs_help_name());
		break;
	case SVG:
	case PNG:
		e->picture.canvas = e->format == SVG ? tcphs_canvas_new_svg() :
						       tcphs_canvas_new_png();
		if (!e->picture.canvas)
			e->out.error = errno;
		e->picture.clock = clock;
		e->picture.absolute = e->s->absolute;
		break;
	case MERMAID:
		e->mermaid = tcphs_mermaid_new(e->out.to, &clock, e->s->absolute);
		break;
	default:
		break;
	}
	if (e->format == PCAPNG && h->segments == TCPHS_SEGMENTS_NONE)
		tcphs_message_print("no segments were recorded here: the module was loaded with segments=none");
	tcphs_outlet_check(&e->out);
}

/* Who says how many gets them; and a diagram of none is of no use. */
static void mermaid(struct export *e, const struct tcphs_connection *c)
{
	bool always = e->s->count || e->number == 1;

	if (tcphs_mermaid_connection(e->mermaid, c, e->number, always))
		return;
	e->number--;
	e->omitted++;
}

static void connection(void *arg, const struct tcphs_connection *c)
{
	struct export *e = arg;

	if (e->out.error)
		return;
	/* The first ones: after one that had no room, none. */
	if (e->omitted || (e->format != PCAPNG && !e->s->count && e->number == DRAWN)) {
		e->omitted++;
		return;
	}
	e->number++;
	errno = 0;
	if (e->capture)
		tcphs_capture_connection(e->capture, c, e->number);
	else if (e->mermaid)
		mermaid(e, c);
	else
		tcphs_picture_connection(&e->picture, c, e->number);
	tcphs_outlet_check(&e->out);
}

static void listener(void *arg, const struct tcphs_end *l, const struct tcphs_context *x)
{
	/* A listener has no segments of its own. */
	(void)arg;
	(void)l;
	(void)x;
}

static void say(struct export *e, const char *text)
{
	tcphs_message_print("%s", text);
	if (e->picture.canvas)
		tcphs_picture_say(&e->picture, text);
	if (e->mermaid)
		tcphs_mermaid_say(e->mermaid, text);
}

static void finish(void *arg, uint64_t lost, uint64_t last)
{
	struct export *e = arg;
	size_t length = e->mermaid ? tcphs_mermaid_too_long(e->mermaid) : 0;
	char text[160], count[TCPHS_NUMBER_SIZE];
	const char *why = NULL;

	(void)lost;
	(void)last;
	errno = 0;
	if (!e->number)
		say(e, "no connection was found");
	if (length) {
		snprintf(text, sizeof(text),
			 "%s characters: Mermaid draws 50,000 at most, unless its maxTextSize is set to more: choose by FILTER, or a smaller -n",
			 tcphs_number_count(length, count));
		say(e, text);
	}
	if (e->omitted) {
		snprintf(text, sizeof(text),
			 "%s more connection%s left out%s: choose by FILTER, or -n COUNT",
			 tcphs_number_count(e->omitted, count),
			 e->omitted == 1 ? " is" : "s are",
			 e->number == DRAWN ? "" :
			 ", as Mermaid draws 50,000 characters at most");
		say(e, text);
	}
	if (e->capture)
		e->packets = tcphs_capture_finish(e->capture);
	if (e->picture.canvas)
		why = tcphs_picture_finish(&e->picture, e->out.to);
	if (why) {
		tcphs_message_print("%s: %s", e->s->output, why);
		e->out.error = -1;
	}
	tcphs_outlet_check(&e->out);
}

/* ---- the command ---------------------------------------------------------- */

static bool find_format(struct export *e)
{
	const char *name = e->s->output;
	size_t length = strlen(name);

	for (e->format = 0; e->format < FORMATS; e->format++) {
		size_t suffix = strlen(suffixes[e->format]);

		if (length >= suffix &&
		    !strcasecmp(name + length - suffix, suffixes[e->format]))
			return true;
	}
	return false;
}

int tcphs_export_run(const struct tcphs_settings *s)
{
	struct export e = { .s = s };
	const struct tcphs_story story = {
		.header = header,
		.connection = connection,
		.listener = listener,
		.finish = finish,
		.arg = &e,
	};
	int status;

	if (!s->output) {
		tcphs_message_print("export: where to? Use: tcphs export -o FILE.pcapng, .svg, .png or .mmd");
		return TCPHS_EXIT_USAGE;
	}
	if (!find_format(&e)) {
		tcphs_message_print("export: %s: the name has to end in .pcapng, .svg, .png or .mmd",
				    s->output);
		return TCPHS_EXIT_USAGE;
	}
	/* Sequence numbers are secret. */
	status = tcphs_outlet_open(&e.out, s, 0600);
	if (status)
		return status;
	status = tcphs_story_tell(s, &story);
	if (!tcphs_outlet_close(&e.out, e.begun))
		status = TCPHS_EXIT_FAILED;
	tcphs_mermaid_free(e.mermaid);
	tcphs_canvas_free(e.picture.canvas);
	return status;
}
