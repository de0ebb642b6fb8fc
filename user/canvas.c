// SPDX-License-Identifier: GPL-2.0
/*
 * SVG is written as text with real <text> elements: it can be searched, selected
 * and read aloud, which cairo's own SVG, made of glyphs' outlines, cannot.
 */
#include <cairo/cairo.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "memory.h"

#define FONTS "'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"

enum {
	SIDE_MAX = 32767,	/* cairo's limit for images */
	FINE_MAX = 16000,	/* pixels down to which two are one */
};

struct tcphs_canvas {
	FILE *svg;		/* NULL: pixels */
	char *text;
	size_t size;
	cairo_surface_t *surface;
	cairo_t *cairo;
};

struct tcphs_canvas *tcphs_canvas_new_svg(void)
{
	struct tcphs_canvas *v = tcphs_memory_get(1, sizeof(*v));

	v->svg = open_memstream(&v->text, &v->size);
	if (!v->svg) {
		free(v);
		return NULL;
	}
	return v;
}

struct tcphs_canvas *tcphs_canvas_new_png(void)
{
	struct tcphs_canvas *v = tcphs_memory_get(1, sizeof(*v));
	cairo_font_options_t *options;

	v->surface = cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, NULL);
	v->cairo = cairo_create(v->surface);
	/* Letters keep their distances at every angle. */
	options = cairo_font_options_create();
	cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
	cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
	cairo_set_font_options(v->cairo, options);
	cairo_font_options_destroy(options);
	return v;
}

void tcphs_canvas_free(struct tcphs_canvas *v)
{
	if (!v)
		return;
	if (v->svg)
		fclose(v->svg);
	free(v->text);
	if (v->cairo)
		cairo_destroy(v->cairo);
	if (v->surface)
		cairo_surface_destroy(v->surface);
	free(v);
}

/* ---- shapes --------------------------------------------------------------- */

static void set_color(struct tcphs_canvas *v, tcphs_color_t color)
{
	cairo_set_source_rgb(v->cairo, (color >> 16 & 255) / 255.0,
			     (color >> 8 & 255) / 255.0, (color & 255) / 255.0);
}

static void svg_color(struct tcphs_canvas *v, const char *what, tcphs_color_t color)
{
	if (color == TCPHS_CANVAS_NONE)
		fprintf(v->svg, " %s=\"none\"", what);
	else
		fprintf(v->svg, " %s=\"#%06x\"", what, (unsigned int)color);
}

void tcphs_canvas_line(struct tcphs_canvas *v, double x1, double y1, double x2,
		       double y2, double width, tcphs_color_t color,
		       enum tcphs_canvas_dash dash)
{
	static const double dashes[][2] = {
		[TCPHS_CANVAS_DASHED] = { 7, 4 },
		[TCPHS_CANVAS_DOTTED] = { 2, 4 },
	};

	if (v->svg) {
		fprintf(v->svg, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
			"stroke-width=\"%.1f\"", x1, y1, x2, y2, width);
		svg_color(v, "stroke", color);
		if (dash)
			fprintf(v->svg, " stroke-dasharray=\"%.0f %.0f\"",
				dashes[dash][0], dashes[dash][1]);
		fputs("/>\n", v->svg);
		return;
	}
	set_color(v, color);
	cairo_set_line_width(v->cairo, width);
	cairo_set_dash(v->cairo, dashes[dash], dash ? 2 : 0, 0);
	cairo_move_to(v->cairo, x1, y1);
	cairo_line_to(v->cairo, x2, y2);
	cairo_stroke(v->cairo);
}

static void round_rect(cairo_t *c, double x, double y, double width, double height,
		       double r)
{
	const double quarter = 1.5707963267948966;

	cairo_new_sub_path(c);
	cairo_arc(c, x + width - r, y + r, r, -quarter, 0);
	cairo_arc(c, x + width - r, y + height - r, r, 0, quarter);
	cairo_arc(c, x + r, y + height - r, r, quarter, 2 * quarter);
	cairo_arc(c, x + r, y + r, r, 2 * quarter, 3 * quarter);
	cairo_close_path(c);
}

void tcphs_canvas_rect(struct tcphs_canvas *v, double x, double y, double width,
		       double height, double radius, tcphs_color_t fill,
		       tcphs_color_t stroke)
{
	if (radius > height / 2)
		radius = height / 2;
	if (v->svg) {
		fprintf(v->svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			"height=\"%.1f\"", x, y, width, height);
		if (radius > 0)
			fprintf(v->svg, " rx=\"%.1f\"", radius);
		svg_color(v, "fill", fill);
		if (stroke != TCPHS_CANVAS_NONE)
			svg_color(v, "stroke", stroke);
		fputs("/>\n", v->svg);
		return;
	}
	round_rect(v->cairo, x, y, width, height, radius);
	if (fill != TCPHS_CANVAS_NONE) {
		set_color(v, fill);
		cairo_fill_preserve(v->cairo);
	}
	if (stroke != TCPHS_CANVAS_NONE) {
		set_color(v, stroke);
		cairo_set_dash(v->cairo, NULL, 0, 0);
		cairo_set_line_width(v->cairo, 1);
		cairo_stroke_preserve(v->cairo);
	}
	cairo_new_path(v->cairo);
}

void tcphs_canvas_triangle(struct tcphs_canvas *v, const double xy[6],
			   tcphs_color_t fill)
{
	if (v->svg) {
		fprintf(v->svg, "<path d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fz\"", xy[0],
			xy[1], xy[2], xy[3], xy[4], xy[5]);
		svg_color(v, "fill", fill);
		fputs("/>\n", v->svg);
		return;
	}
	set_color(v, fill);
	cairo_move_to(v->cairo, xy[0], xy[1]);
	cairo_line_to(v->cairo, xy[2], xy[3]);
	cairo_line_to(v->cairo, xy[4], xy[5]);
	cairo_close_path(v->cairo);
	cairo_fill(v->cairo);
}

/* ---- text ----------------------------------------------------------------- */

/* Hundredths of the size, for the printable ASCII characters of a wide font. */
static const uint8_t widths[] = {
	 32,  40,  46,  84,  64,  95,  78,  28,  39,  39,  50,  84,  32,  36,  32,  34,
	 64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  34,  34,  84,  84,  84,  53,
	100,  68,  69,  70,  77,  63,  58,  78,  75,  30,  30,  66,  56,  86,  75,  79,
	 60,  79,  70,  64,  61,  73,  68,  99,  69,  61,  69,  39,  34,  39,  84,  50,
	 50,  61,  64,  55,  64,  62,  35,  64,  63,  28,  28,  58,  28,  97,  63,  61,
	 64,  64,  41,  52,  39,  63,  59,  82,  59,  59,  53,  64,  34,  64,  84,
};

double tcphs_canvas_width(double size, bool bold, const char *text)
{
	double width = 0;

	for (; *text; text++) {
		unsigned char c = *text;

		if (c >= 0x20 && c < 0x7f)
			width += widths[c - 0x20];
		else if ((c & 0xc0) != 0x80)
			width += 84;
	}
	return width * size / 100 * (bold ? 1.1 : 1);
}

static void svg_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '>')
			fputs("&gt;", f);
		else if (*text == '&')
			fputs("&amp;", f);
		else if ((unsigned char)*text < 0x20)
			putc('?', f);
		else
			putc(*text, f);
	}
}

void tcphs_canvas_write(struct tcphs_canvas *v, const struct tcphs_canvas_text *t,
			const char *text)
{
	static const char *const anchors[] = { "start", "middle", "end" };
	cairo_text_extents_t extents;
	double start;

	if (!*text)
		return;
	if (v->svg) {
		fprintf(v->svg, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.1f\"", t->x,
			t->y, t->size);
		svg_color(v, "fill", t->color);
		if (t->bold)
			fputs(" font-weight=\"bold\"", v->svg);
		if (t->anchor)
			fprintf(v->svg, " text-anchor=\"%s\"", anchors[t->anchor]);
		if (t->angle != 0)
			fprintf(v->svg, " transform=\"rotate(%.2f %.1f %.1f)\"",
				t->angle, t->x, t->y);
		if (t->halo)
			fputs(" stroke=\"#ffffff\" stroke-width=\"3\" "
			      "stroke-linejoin=\"round\" paint-order=\"stroke\"", v->svg);
		putc('>', v->svg);
		svg_text(v->svg, text);
		fputs("</text>\n", v->svg);
		return;
	}
	cairo_select_font_face(v->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
			       t->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(v->cairo, t->size);
	cairo_text_extents(v->cairo, text, &extents);
	start = t->anchor == TCPHS_CANVAS_START ? 0 :
		t->anchor == TCPHS_CANVAS_END ? -extents.x_advance :
						-extents.x_advance / 2;
	cairo_save(v->cairo);
	cairo_translate(v->cairo, t->x, t->y);
	cairo_rotate(v->cairo, t->angle * 0.017453292519943295);
	if (t->halo) {
		cairo_move_to(v->cairo, start, 0);
		cairo_text_path(v->cairo, text);
		set_color(v, 0xffffff);
		cairo_set_dash(v->cairo, NULL, 0, 0);
		cairo_set_line_width(v->cairo, 3);
		cairo_set_line_join(v->cairo, CAIRO_LINE_JOIN_ROUND);
		cairo_stroke(v->cairo);
	}
	set_color(v, t->color);
	cairo_move_to(v->cairo, start, 0);
	cairo_show_text(v->cairo, text);
	cairo_restore(v->cairo);
}

/* ---- the end -------------------------------------------------------------- */

static cairo_status_t put(void *arg, const unsigned char *bytes, unsigned int size)
{
	return fwrite(bytes, 1, size, arg) == size ? CAIRO_STATUS_SUCCESS :
						     CAIRO_STATUS_WRITE_ERROR;
}

static const char *finish_png(struct tcphs_canvas *v, double width, double height,
			      FILE *to)
{
	/* Twice as fine as a screen's pixels, unless that takes too much memory. */
	double scale = height * 2 > FINE_MAX ? 1 : 2;
	cairo_surface_t *image;
	cairo_status_t status;
	cairo_t *c;

	if (height > SIDE_MAX)
		return "too tall for a PNG: fewer connections by FILTER or -n, or .svg";
	image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width * scale,
					   height * scale);
	c = cairo_create(image);
	cairo_set_source_rgb(c, 1, 1, 1);
	cairo_paint(c);
	cairo_scale(c, scale, scale);
	cairo_set_source_surface(c, v->surface, 0, 0);
	cairo_paint(c);
	status = cairo_status(c);
	cairo_destroy(c);
	if (!status)
		status = cairo_surface_write_to_png_stream(image, put, to);
	cairo_surface_destroy(image);
	/* A failed write is told by `to`. */
	return status && status != CAIRO_STATUS_WRITE_ERROR ?
		       cairo_status_to_string(status) : NULL;
}

const char *tcphs_canvas_finish(struct tcphs_canvas *v, double width, double height,
				const char *title, FILE *to)
{
	if (!v->svg)
		return finish_png(v, width, height, to);
	if (fflush(v->svg))
		return "no memory left for the picture";
	fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
		"height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
		"font-family=\"" FONTS "\">\n<title>", width, height, width, height);
	svg_text(to, title);
	fputs("</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n", to);
	fwrite(v->text, 1, v->size, to);
	fputs("</svg>\n", to);
	return NULL;
}
