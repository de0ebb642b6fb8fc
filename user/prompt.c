// SPDX-License-Identifier: GPL-2.0
/* What is asked for at the bottom of `live -i`: a filter, or a file's name. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "browser.h"
#include "number.h"
#include "output.h"
#include "record.h"
#include "screen.h"

static const char *prompt_name(const struct tcphs_view *v)
{
	return v->prompt == TCPHS_VIEW_ASKS_FILTER ? "filter: " : "save as: ";
}

/* Above row `y`, in as many rows as it takes. */
static void draw_message(int y, const char *text)
{
	size_t width = tcphs_screen_columns(), skip = tcphs_output_columns(text);

	if (!width)
		return;
	do {
		skip = skip ? (skip - 1) / width * width : 0;
		tcphs_screen_row(--y, TCPHS_LOOK_BAD, text, skip);
	} while (skip && y > 0);
}

void tcphs_prompt_draw(struct tcphs_view *v)
{
	int y = tcphs_screen_rows() - 1, columns = tcphs_screen_columns();
	char text[TCPHS_VIEW_TEXT * 2];
	int used, skip;

	snprintf(text, sizeof(text), "%s%s", prompt_name(v), v->input);
	/* Its end, where the cursor is, is always there. */
	used = tcphs_output_columns(text);
	skip = used < columns ? 0 : used + 1 - columns;
	tcphs_screen_row(y, v->input_bad ? TCPHS_LOOK_BAD : TCPHS_LOOK_BAR, text, skip);
	/* What is wrong is said, not only shown by a colour. */
	if (v->input_bad)
		draw_message(y, v->message);
	tcphs_screen_cursor(y, used - skip);
}

static void try_filter(struct tcphs_view *v, bool take_it)
{
	struct tcphs_filter *filter = NULL;
	char why[TCPHS_FILTER_WHY] = "";

	/* The expression stands below. */
	if (*v->input)
		filter = tcphs_filter_try(v->input, why);
	v->input_bad = *why;
	snprintf(v->message, sizeof(v->message), "%s", why);
	if (v->input_bad || !take_it) {
		tcphs_filter_free(filter);
		return;
	}
	tcphs_filter_free(v->filter);
	v->filter = filter;
	snprintf(v->expression, sizeof(v->expression), "%s", v->input);
	v->prompt = TCPHS_VIEW_ASKS_NOTHING;
}

static void save(struct tcphs_view *v)
{
	const char *from = v->s->nfiles ? v->s->files[0] : NULL;
	char count[TCPHS_NUMBER_SIZE];
	uint64_t records = 0;

	v->prompt = TCPHS_VIEW_ASKS_NOTHING;
	if (!*v->input)
		return;
	v->message[0] = '\0';
	if (v->s->nfiles > 1) {
		tcphs_view_say(v, "these are several recordings: they are saved already");
		return;
	}
	if (tcphs_record_save(from, v->input, &records) && *v->message)
		return;
	v->message_bad = false;
	snprintf(v->message, sizeof(v->message), "%s record%s written to %s: tcphs -r %s",
		 tcphs_number_count(records, count), tcphs_number_plural(records), v->input,
		 v->input);
}

void tcphs_prompt_begin(struct tcphs_view *v, enum tcphs_view_prompt prompt)
{
	time_t now = time(NULL);
	struct tm tm;

	v->prompt = prompt;
	v->input_bad = false;
	v->message[0] = '\0';
	if (prompt == TCPHS_VIEW_ASKS_FILTER)
		strcpy(v->input, v->expression);
	else if (localtime_r(&now, &tm))
		strftime(v->input, sizeof(v->input), "tcphs-%Y%m%d-%H%M%S.tcphs", &tm);
}

/* Without its last character: in UTF-8, all bytes of it. */
static void erase(char *text)
{
	size_t used = strlen(text);

	while (used && (text[--used] & 0xc0) == 0x80)
		;
	text[used] = '\0';
}

/* A character comes byte by byte: all of them have room, or none. */
static bool has_room(const struct tcphs_view *v, int key)
{
	size_t used = strlen(v->input), bytes = key < 0xc0 ? 1 : 4;

	if ((key & 0xc0) == 0x80 && !(used && v->input[used - 1] & 0x80))
		return false;
	return used + bytes < sizeof(v->input);
}

void tcphs_prompt_key(struct tcphs_view *v, int key)
{
	size_t used = strlen(v->input);

	if (key == TCPHS_KEY_ESCAPE) {
		v->prompt = TCPHS_VIEW_ASKS_NOTHING;
		v->message[0] = '\0';
		return;
	}
	if (key == TCPHS_KEY_ENTER) {
		if (v->prompt == TCPHS_VIEW_ASKS_FILTER)
			try_filter(v, true);
		else
			save(v);
		return;
	}
	if (key == TCPHS_KEY_ERASE)
		erase(v->input);
	else if (key == 'U' - '@')
		v->input[0] = '\0';
	else if (key >= ' ' && key <= UINT8_MAX && has_room(v, key))
		snprintf(v->input + used, sizeof(v->input) - used, "%c", key);
	if (v->prompt == TCPHS_VIEW_ASKS_FILTER)
		try_filter(v, false);
}
