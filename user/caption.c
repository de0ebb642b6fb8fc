// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "caption.h"
#include "names.h"
#include "number.h"
#include "options.h"
#include "text.h"
#include "verdict.h"

#define append(text, ...) tcphs_text_append(text, TCPHS_CAPTION_SIZE, __VA_ARGS__)

static uint32_t relative(const struct tcphs_side *s, uint32_t number, bool absolute)
{
	return absolute || !s->isn_known ? number : number - s->isn;
}

char *tcphs_caption_segment(const struct tcphs_connection *c,
			    const struct tcphs_step *step, bool absolute, bool isn,
			    char *text)
{
	const struct tcphs_segment *s = &step->segment;
	char flags[TCPHS_NAMES_FLAGS_SIZE];

	text[0] = '\0';
	if (step->kind == TCPHS_STEP_RESET) {
		append(text, "RST");
		return text;
	}
	append(text, "%s seq=%" PRIu32, tcphs_names_flags(s->flags, flags),
	       /* A RST to a SYN has seq 0: no number of that side's. */
	       tcphs_number_is_none(s) ? 0 :
	       relative(&c->side[step->from], s->seq, absolute));
	if (isn && s->flags & TCPHS_SYN && !absolute)
		append(text, " [%" PRIu32 "]", s->seq);
	if (s->flags & TCPHS_ACK)
		append(text, " ack=%" PRIu32,
		       relative(&c->side[!step->from], s->ack, absolute));
	if (s->len)
		append(text, " len=%" PRIu32, s->len);
	return text;
}

char *tcphs_caption_options(const struct tcphs_segment *s, char *text)
{
	struct tcphs_options o;

	text[0] = '\0';
	tcphs_options_decode(s, &o);
	if (o.has_mss)
		append(text, "mss %u ", o.mss);
	if (o.sack_permitted)
		append(text, "sack ");
	if (o.has_timestamps)
		append(text, "ts ");
	if (o.has_wscale)
		append(text, "wscale %u ", o.wscale);
	if (o.mptcp)
		append(text, "mptcp ");
	if (o.malformed)
		append(text, "(options damaged) ");
	if (*text)
		text[strlen(text) - 1] = '\0';
	return text;
}

char *tcphs_caption_end(const struct tcphs_side *s, char *text)
{
	char name[TCPHS_ADDRESS_SIZE] = "?";

	if (s->port)
		tcphs_address_end(s->address, s->inet6, s->port, name);
	text[0] = '\0';
	append(text, "%s", name);
	return text;
}

const char *tcphs_caption_absent(const struct tcphs_connection *c,
				 const struct tcphs_side *s)
{
	/* It may have been silent, or what it said is missing. */
	if (c->whole != TCPHS_WHOLE_COMPLETE)
		return "unseen";
	return s->seen ? "no socket" : "elsewhere";
}

const char *tcphs_caption_unended(const struct tcphs_side *s)
{
	if (s->host && s->host->missing & TCPHS_MISSING_TIMEWAIT_END)
		return "the end of TIME_WAIT is not observed on this kernel";
	return "TIME_WAIT is not over (it takes 60 s)";
}

char *tcphs_caption_owner(const struct tcphs_connection *c, const struct tcphs_side *s,
			  char *text)
{
	char comm[sizeof(s->owner.comm) + 1];

	text[0] = '\0';
	if (!s->socket) {
		append(text, "%s", tcphs_caption_absent(c, s));
		return text;
	}
	if (s->owner.known)
		append(text, "%s/%" PRIu32,
		       tcphs_caption_clean(s->owner.comm, comm, sizeof(comm)),
		       s->owner.pid);
	if (s->closer.known)
		append(text, "%sclosed by %s/%" PRIu32, *text ? ", " : "",
		       tcphs_caption_clean(s->closer.comm, comm, sizeof(comm)),
		       s->closer.pid);
	return text;
}

char *tcphs_caption_place(const struct tcphs_connection *c, const struct tcphs_side *s,
			  char *text)
{
	text[0] = '\0';
	if (c->hosts && s->host)
		append(text, "on %s%s", s->host->name, s->netns ? ", " : "");
	if (s->netns)
		append(text, "netns %" PRIu32, s->netns);
	return text;
}

static void part(char *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void part(char *text, const char *format, ...)
{
	char piece[128];
	va_list args;

	va_start(args, format);
	vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	append(text, "%s%s", *text ? " · " : "", piece);
}

char *tcphs_caption_verdict(const struct tcphs_connection *c, char *text)
{
	const char *open = tcphs_verdict_open(c->open);
	const char *close = tcphs_verdict_close(c->close);
	char span[TCPHS_NUMBER_SIZE] = "";
	uint64_t lasted;

	text[0] = '\0';
	if (c->opened)
		tcphs_number_span(c->opened, span);
	if (c->open == TCPHS_OPEN_UNSEEN)
		part(text, "open unseen");
	else
		part(text, "%s%s%s%s", open,
		     c->open <= TCPHS_OPEN_SYN_COOKIE ? " open" : "",
		     *span ? " " : "", span);
	if (c->close == TCPHS_CLOSE_OPEN)
		part(text, "still open");
	else if (c->close == TCPHS_CLOSE_UNSEEN)
		part(text, "close unseen");
	else if (c->close == TCPHS_CLOSE_FOUR_WAY ||
		 c->close == TCPHS_CLOSE_THREE_SEGMENT ||
		 c->close == TCPHS_CLOSE_SIMULTANEOUS)
		part(text, "%s close", close);
	else if (close)
		part(text, "%s", close);
	if (tcphs_connection_lasted(c, &lasted))
		part(text, "lasted %s", tcphs_number_span(lasted, span));
	part(text, "%s", tcphs_verdict_whole(c->whole));
	return text;
}

char *tcphs_caption_bytes(const struct tcphs_connection *c, char *text)
{
	char count[TCPHS_NUMBER_SIZE];
	unsigned int side;

	text[0] = '\0';
	for (side = 0; side < 2; side++)
		if (c->side[side].bytes_known)
			append(text, "%s%s %s B", *text ? ", " : "",
			       tcphs_caption_side(side),
			       tcphs_number_count(c->side[side].bytes, count));
	return text;
}

const char *tcphs_caption_side(unsigned int side)
{
	return side == TCPHS_CLIENT ? "client" : "server";
}

char *tcphs_caption_clean(const char *from, char *text, size_t size)
{
	size_t i;

	for (i = 0; from[i] && i + 1 < size; i++)
		text[i] = from[i] < 0x20 || from[i] > 0x7e ? '?' : from[i];
	text[i] = '\0';
	return text;
}
