// SPDX-License-Identifier: GPL-2.0
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "message.h"
#include "screen.h"

enum { ESCAPE_MS = 25, COLORS_USED = 8 };

static SCREEN *screen;
static bool colors;

bool tcphs_screen_begin(bool color)
{
	const char *term = getenv("TERM");
	short i;

	/* initscr() would end the program. */
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		tcphs_message_print("TERM=%s: not a terminal with a cursor that moves: use `tcphs live`",
				    term ? term : "");
		return false;
	}
	set_term(screen);
	atexit(tcphs_screen_end);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	colors = color && has_colors() && start_color() != ERR;
	if (colors) {
		use_default_colors();
		for (i = 1; i < COLORS_USED; i++)
			init_pair(i, i, -1);
	}
	return true;
}

void tcphs_screen_end(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

int tcphs_screen_rows(void)
{
	return LINES;
}

int tcphs_screen_columns(void)
{
	return COLS;
}

static void set_look(enum tcphs_look look)
{
	attrset(A_NORMAL);
	switch (look) {
	case TCPHS_LOOK_PLAIN:
		break;
	case TCPHS_LOOK_BAR:
		attron(A_BOLD);
		break;
	case TCPHS_LOOK_CHOSEN:
		attron(A_REVERSE);
		break;
	case TCPHS_LOOK_BAD:
		attron(A_BOLD);
		if (colors)
			attron(COLOR_PAIR(COLOR_RED));
		break;
	}
}

/* An escape sequence of tcphs_output_paint(). Returns what comes after it. */
static const char *paint(enum tcphs_look look, const char *text)
{
	int code = strtol(text + 2, NULL, 10);

	if (!code)
		set_look(look);
	else if (code == 1)
		attron(A_BOLD);
	else if (code == 2)
		attron(A_DIM);
	else if (code > 30 && code < 30 + COLORS_USED && colors)
		attron(COLOR_PAIR(code - 30));
	while (*text && *text != 'm')
		text++;
	return *text ? text + 1 : text;
}

void tcphs_screen_row(int y, enum tcphs_look look, const char *text, size_t skip)
{
	size_t size, used = 0, room = COLS > 0 ? COLS : 0;
	mbstate_t state = { 0 };
	wchar_t c[2] = { 0 };

	if (y < 0 || y >= LINES)
		return;
	move(y, 0);
	set_look(look);
	while (*text && used < room) {
		if (*text == '\033') {
			text = paint(look, text);
			continue;
		}
		size = mbrtowc(c, text, strlen(text), &state);
		if (!size || size > strlen(text)) {
			memset(&state, 0, sizeof(state));
			c[0] = '?';
			size = 1;
		}
		text += size;
		if (skip) {
			skip--;
			continue;
		}
		addnwstr(c, 1);
		used++;
	}
	set_look(look);
	if (look == TCPHS_LOOK_CHOSEN)
		for (; used < room; used++)
			addch(' ');
	if (used < room)
		clrtoeol();
}

void tcphs_screen_cursor(int y, int x)
{
	curs_set(x >= 0);
	if (x >= 0)
		move(y, x < COLS ? x : COLS - 1);
}

void tcphs_screen_show(void)
{
	refresh();
}

int tcphs_screen_key(int ms)
{
	int key;

	timeout(ms);
	key = getch();
	switch (key) {
	case ERR:
		return TCPHS_KEY_NONE;
	case '\r':
	case KEY_ENTER:
		return TCPHS_KEY_ENTER;
	case '\b':
	case KEY_BACKSPACE:
	case KEY_DC:
		return TCPHS_KEY_ERASE;
	case KEY_UP:
		return TCPHS_KEY_UP;
	case KEY_DOWN:
		return TCPHS_KEY_DOWN;
	case KEY_LEFT:
		return TCPHS_KEY_LEFT;
	case KEY_RIGHT:
		return TCPHS_KEY_RIGHT;
	case KEY_PPAGE:
		return TCPHS_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TCPHS_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TCPHS_KEY_HOME;
	case KEY_END:
		return TCPHS_KEY_END;
	case KEY_RESIZE:
		clear();
		return TCPHS_KEY_RESIZE;
	}
	return key;
}
