/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_SCREEN_H
#define TCPHS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* The terminal as rows of text, by ncurses. One at a time. */

enum tcphs_look {
	TCPHS_LOOK_PLAIN,
	TCPHS_LOOK_BAR,		/* a heading, the line at the bottom */
	TCPHS_LOOK_CHOSEN,
	TCPHS_LOOK_BAD,
};

/* What tcphs_screen_key() returns beside characters. */
enum {
	TCPHS_KEY_NONE = -1,
	TCPHS_KEY_ENTER = '\n',
	TCPHS_KEY_ESCAPE = 27,
	TCPHS_KEY_ERASE = 127,
	TCPHS_KEY_UP = 0x110000,
	TCPHS_KEY_DOWN,
	TCPHS_KEY_LEFT,
	TCPHS_KEY_RIGHT,
	TCPHS_KEY_PAGE_UP,
	TCPHS_KEY_PAGE_DOWN,
	TCPHS_KEY_HOME,
	TCPHS_KEY_END,
	TCPHS_KEY_RESIZE,
};

/* Take the terminal; `color`: may it have colours. False after a message. */
bool tcphs_screen_begin(bool color);

/* Give the terminal back as it was. Also done at exit(). */
void tcphs_screen_end(void);

/* Its size now. */
int tcphs_screen_rows(void);
int tcphs_screen_columns(void);

/*
 * Row y, from its first column to its last: `text` without its first `skip`
 * columns. It is UTF-8 and may have the escape sequences of output.h.
 */
void tcphs_screen_row(int y, enum tcphs_look look, const char *text, size_t skip);

/* The cursor stands at this place, or (x < 0) is not seen. */
void tcphs_screen_cursor(int y, int x);

/* Show what was written since. */
void tcphs_screen_show(void);

/* The next key, waiting for at most `ms`. */
int tcphs_screen_key(int ms);

#endif
