/* SPDX-License-Identifier: GPL-2.0 */
/* What `live -i` has and shows: shared by view.c, rows.c, page.c, prompt.c and keys.c. */
#ifndef TCPHS_BROWSER_H
#define TCPHS_BROWSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "filter.h"
#include "flow.h"
#include "hold.h"
#include "input.h"
#include "ladder.h"
#include "settings.h"
#include "shelf.h"

enum {
	TCPHS_VIEW_INPUT = 200,		/* bytes that can be typed */
	TCPHS_VIEW_TEXT = 1024,		/* bytes of a row */
};

enum tcphs_view_mode {
	TCPHS_VIEW_LIST,
	TCPHS_VIEW_LADDER,
	TCPHS_VIEW_HELP,
};

enum tcphs_view_prompt {
	TCPHS_VIEW_ASKS_NOTHING,
	TCPHS_VIEW_ASKS_FILTER,
	TCPHS_VIEW_ASKS_FILE,
};

/* What the column of times has; the ladder has its own. */
enum tcphs_view_time {
	TCPHS_VIEW_HANDSHAKE,
	TCPHS_VIEW_LASTED,
	TCPHS_VIEW_START,
	TCPHS_VIEW_SINCE,
	TCPHS_VIEW_TIMES,
};

struct tcphs_view {
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

	enum tcphs_view_mode mode;
	enum tcphs_view_mode before_help;
	enum tcphs_view_time list_time;
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
	char expression[TCPHS_VIEW_INPUT];

	enum tcphs_view_prompt prompt;
	char input[TCPHS_VIEW_INPUT];
	bool input_bad;
	char message[TCPHS_VIEW_TEXT];
	bool message_bad;

	uint64_t drawn;
	uint64_t rated;
	uint64_t rated_records;
	uint64_t rate;
};

/* view.c: stop or go on; what came meanwhile is taken in then. */
void tcphs_view_pause(struct tcphs_view *v, bool paused);
/* view.c: a message for the line at the bottom. */
void tcphs_view_say(struct tcphs_view *v, const char *text);
/* view.c: rows between `headings` lines at the top and the line at the bottom. */
size_t tcphs_view_room(unsigned int headings);

/* rows.c: the rows of the list as they are now; the choice stays at its number. */
void tcphs_rows_find(struct tcphs_view *v);
/*
 * rows.c: the connection of a row. *made is to be freed by
 * tcphs_connection_free(); NULL where the row has its own.
 */
const struct tcphs_connection *tcphs_rows_connection(const struct tcphs_view *v,
						     const struct tcphs_shelf_row *row,
						     struct tcphs_connection **made);
void tcphs_rows_draw(struct tcphs_view *v);

/* page.c: text of several lines, to be walked through. */
void tcphs_page_ladder(struct tcphs_view *v);
void tcphs_page_help(struct tcphs_view *v);

/* prompt.c: a line that is typed at the bottom. */
void tcphs_prompt_begin(struct tcphs_view *v, enum tcphs_view_prompt prompt);
void tcphs_prompt_key(struct tcphs_view *v, int key);
void tcphs_prompt_draw(struct tcphs_view *v);

/* keys.c: what a key does (enum of screen.h, or a character). */
void tcphs_keys_handle(struct tcphs_view *v, int key);

#endif
