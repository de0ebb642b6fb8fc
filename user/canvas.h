/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_CANVAS_H
#define TCPHS_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What a picture is drawn on: SVG text, or pixels by cairo. Units are pixels of
 * a screen, y runs down. The size is only said at the end.
 */
struct tcphs_canvas;

/* 0xrrggbb, or none. */
typedef int32_t tcphs_color_t;
#define TCPHS_CANVAS_NONE (-1)

enum tcphs_canvas_dash {
	TCPHS_CANVAS_SOLID,
	TCPHS_CANVAS_DASHED,
	TCPHS_CANVAS_DOTTED,
};

enum tcphs_canvas_anchor {
	TCPHS_CANVAS_START,
	TCPHS_CANVAS_MIDDLE,
	TCPHS_CANVAS_END,
};

struct tcphs_canvas_text {
	double x, y;		/* of the base line */
	double size;
	double angle;		/* degrees, clockwise, around x, y */
	bool bold;
	bool halo;		/* a white rim, to stand on lines */
	enum tcphs_canvas_anchor anchor;
	tcphs_color_t color;
};

struct tcphs_canvas *tcphs_canvas_new_svg(void);
struct tcphs_canvas *tcphs_canvas_new_png(void);
void tcphs_canvas_free(struct tcphs_canvas *v);

void tcphs_canvas_line(struct tcphs_canvas *v, double x1, double y1, double x2,
		       double y2, double width, tcphs_color_t color,
		       enum tcphs_canvas_dash dash);
void tcphs_canvas_rect(struct tcphs_canvas *v, double x, double y, double width,
		       double height, double radius, tcphs_color_t fill,
		       tcphs_color_t stroke);
void tcphs_canvas_triangle(struct tcphs_canvas *v, const double xy[6],
			   tcphs_color_t fill);
/* `text` is UTF-8. */
void tcphs_canvas_write(struct tcphs_canvas *v, const struct tcphs_canvas_text *t,
			const char *text);

/* How wide `text` is about; the same on every machine, whatever its fonts. */
double tcphs_canvas_width(double size, bool bold, const char *text);

/*
 * Put the picture, `width` x `height`, into `to`. NULL, or why it cannot be:
 * static text. Whether writing went well, `to` knows.
 */
const char *tcphs_canvas_finish(struct tcphs_canvas *v, double width, double height,
				const char *title, FILE *to);

#endif
