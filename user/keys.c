// SPDX-License-Identifier: GPL-2.0
/* What the keys of `live -i` do. */
#include <stdlib.h>

#include "browser.h"
#include "screen.h"

enum {
	SIDEWAYS = 8,		/* columns */
};

/* The choice goes `by` rows down. */
static void choose(struct tcphs_view *v, long by)
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

static void scroll_by(struct tcphs_view *v, long by)
{
	if (by < 0 && (size_t)-by > v->line)
		v->line = 0;
	else
		v->line += by;
}

static void move_by(struct tcphs_view *v, long by)
{
	if (v->mode == TCPHS_VIEW_LIST)
		choose(v, by);
	else
		scroll_by(v, by);
}

static void next_time(struct tcphs_view *v)
{
	static const enum tcphs_times next[] = {
		[TCPHS_TIMES_DEFAULT] = TCPHS_TIMES_DATE,
		[TCPHS_TIMES_DATE] = TCPHS_TIMES_EPOCH,
		[TCPHS_TIMES_EPOCH] = TCPHS_TIMES_DELTA,
		[TCPHS_TIMES_DELTA] = TCPHS_TIMES_NONE,
		[TCPHS_TIMES_NONE] = TCPHS_TIMES_DEFAULT,
		[TCPHS_TIMES_SINCE] = TCPHS_TIMES_DATE,
	};

	if (v->mode == TCPHS_VIEW_LADDER)
		v->ladder.clock.times = next[v->ladder.clock.times];
	else
		v->list_time = (v->list_time + 1) % TCPHS_VIEW_TIMES;
}

static void back(struct tcphs_view *v, bool quit)
{
	switch (v->mode) {
	case TCPHS_VIEW_LIST:
		v->quit = quit;
		break;
	case TCPHS_VIEW_LADDER:
		v->mode = TCPHS_VIEW_LIST;
		v->skip = 0;
		break;
	case TCPHS_VIEW_HELP:
		v->mode = v->before_help;
		break;
	}
	v->line = 0;
}

static void open_ladder(struct tcphs_view *v)
{
	if (v->mode != TCPHS_VIEW_LIST || !v->number)
		return;
	v->mode = TCPHS_VIEW_LADDER;
	/* The one that was chosen, not the newest then. */
	v->newest = false;
	v->line = v->skip = 0;
	free(v->text);
	v->text = NULL;
	v->lines = 0;
}

static void show_help(struct tcphs_view *v)
{
	if (v->mode == TCPHS_VIEW_HELP)
		return;
	v->before_help = v->mode;
	v->mode = TCPHS_VIEW_HELP;
	v->line = 0;
}

static void plain_key(struct tcphs_view *v, int key)
{
	long page = (long)tcphs_view_room(v->mode == TCPHS_VIEW_LIST ? 2 : 0);

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
		move_by(v, v->mode == TCPHS_VIEW_LIST ? -(long)v->rows : -(long)v->lines);
		break;
	case 'G':
	case TCPHS_KEY_END:
		move_by(v, v->mode == TCPHS_VIEW_LIST ? v->rows : v->lines);
		v->newest = v->mode == TCPHS_VIEW_LIST;
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
		tcphs_prompt_begin(v, TCPHS_VIEW_ASKS_FILTER);
		break;
	case 's':
		tcphs_prompt_begin(v, TCPHS_VIEW_ASKS_FILE);
		break;
	case 'p':
		if (!v->ended)
			tcphs_view_pause(v, !v->paused);
		break;
	case 'w':
		next_time(v);
		break;
	case '?':
		show_help(v);
		break;
	}
}

void tcphs_keys_handle(struct tcphs_view *v, int key)
{
	/* Keys mean rows as they are drawn. */
	if (!v->row)
		tcphs_rows_find(v);
	if (v->prompt) {
		if (key != TCPHS_KEY_RESIZE)
			tcphs_prompt_key(v, key);
		return;
	}
	v->message[0] = '\0';
	plain_key(v, key);
}
