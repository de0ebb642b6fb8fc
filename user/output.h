/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_OUTPUT_H
#define TCPHS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "settings.h"
#include "writer.h"

/* What a colour stands for; never the only sign of it. */
enum tcphs_paint {
	TCPHS_PAINT_PLAIN,
	TCPHS_PAINT_DIM,	/* times, lifelines */
	TCPHS_PAINT_STRONG,	/* headings */
	TCPHS_PAINT_STATE,
	TCPHS_PAINT_GOOD,
	TCPHS_PAINT_WARN,	/* sent again, partial */
	TCPHS_PAINT_BAD,	/* lost, reset, refused */
};

/* Where text goes: how wide it may be, which signs and colours it may use. */
struct tcphs_output {
	unsigned int width;	/* columns */
	bool color;
	bool ascii;
	bool terminal;
};

void tcphs_output_init(struct tcphs_output *o, const struct tcphs_settings *s);

/* Escape sequences, or "" without colour. */
const char *tcphs_output_paint(const struct tcphs_output *o, enum tcphs_paint p);
const char *tcphs_output_plain(const struct tcphs_output *o);

/* Columns that UTF-8 text takes; its escape sequences take none. */
size_t tcphs_output_columns(const char *text);

/*
 * Text of foreign origin (a command's name) without what could upset a terminal
 * or JSON. `to` has room for `size` bytes. Returns `to`.
 */
char *tcphs_output_clean(const char *text, char *to, size_t size);

/* How the clocks of several hosts were compared, a line each; else nothing. */
void tcphs_output_hosts(const struct tcphs_output *o, const struct tcphs_hosts *hosts);

/* What was printed is on its way; false: nobody reads it any more. */
bool tcphs_output_flush(void);

/* Nobody does, or it cannot be written. */
bool tcphs_output_gone(void);

/*
 * A stream that goes on: a buffer for many rows, of which whole ones are written.
 * tcphs_output_pace() comes after each row, or when nothing came: then, and ten
 * times a second, what was printed is on its way, with what `row` (or NULL) has
 * before it. `now` may be the record's time. false: nobody reads it any more.
 */
void tcphs_output_begin_pace(void);
bool tcphs_output_pace(uint64_t now, bool idle, struct tcphs_writer *row);

/* At the end: TCPHS_EXIT_DONE, or FAILED after a message (a full disk). */
int tcphs_output_finish(void);

#endif
