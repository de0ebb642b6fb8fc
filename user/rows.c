// SPDX-License-Identifier: GPL-2.0
/* The list of `live -i`: which connections it has, and how each is drawn. */
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "browser.h"
#include "clock.h"
#include "names.h"
#include "number.h"
#include "output.h"
#include "screen.h"
#include "verdict.h"

enum {
	TIME = 64,
	WIDE_OWNER = 120,	/* columns from which on there is room for owners */
};

static const char *const list_time_name[] = {
	[TCPHS_VIEW_HANDSHAKE] = "HANDSHAKE",
	[TCPHS_VIEW_LASTED] = "LASTED",
	[TCPHS_VIEW_START] = "START",
	[TCPHS_VIEW_SINCE] = "SINCE FIRST",
};

static bool wanted(void *arg, const struct tcphs_tuple *t, uint32_t netns,
		   uint32_t netns_peer)
{
	const struct tcphs_view *v = arg;
	const struct tcphs_hosts *hosts = v->context.hosts;
	uint32_t only = v->s->netns;

	/* Of the living they are places, of those that are over namespaces. */
	if (only && netns != only && netns_peer != only &&
	    tcphs_host_netns(hosts, netns) != only &&
	    tcphs_host_netns(hosts, netns_peer) != only)
		return false;
	return tcphs_filter_match(v->filter, t);
}

/* The choice stays at its number, or at the newest. */
void tcphs_rows_find(struct tcphs_view *v)
{
	size_t i;

	v->row = tcphs_shelf_rows(v->shelf, v->flow, wanted, v, &v->rows);
	if (!v->rows) {
		v->chosen = v->top = 0;
		if (v->mode == TCPHS_VIEW_LIST)
			v->number = 0;
		return;
	}
	if (v->newest) {
		v->chosen = v->rows - 1;
	} else {
		for (i = 0; i + 1 < v->rows && v->row[i].number < v->number; i++)
			;
		v->chosen = i;
	}
	/* A ladder that is open keeps its connection, wherever the list goes. */
	if (v->mode == TCPHS_VIEW_LIST)
		v->number = v->row[v->chosen].number;
}

const struct tcphs_connection *tcphs_rows_connection(const struct tcphs_view *v,
						    const struct tcphs_shelf_row *row,
						    struct tcphs_connection **made)
{
	*made = NULL;
	if (row->over)
		return row->over;
	*made = tcphs_connection_new(&v->context, row->a, row->b);
	return *made;
}

static const char *state_now(const struct tcphs_connection *c)
{
	const char *name[2] = { NULL, NULL };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (c->side[i].nstates)
			name[i] = tcphs_names_state(c->side[i].states[c->side[i].nstates - 1].state);
	if (name[0] && name[1] && strcmp(name[0], name[1]))
		/* There is room for one: the client's, while it has one. */
		return strcmp(name[0], "CLOSE") ? name[0] : name[1];
	return name[0] ? name[0] : name[1] ? name[1] : "-";
}

static enum tcphs_paint paint_of(const struct tcphs_connection *c)
{
	if ((c->open > TCPHS_OPEN_SYN_COOKIE && c->open < TCPHS_OPEN_HALF_OPEN) ||
	    c->close == TCPHS_CLOSE_RESET_BY_CLIENT ||
	    c->close == TCPHS_CLOSE_RESET_BY_SERVER || c->close == TCPHS_CLOSE_TIMED_OUT)
		return TCPHS_PAINT_BAD;
	if (c->whole != TCPHS_WHOLE_COMPLETE)
		return TCPHS_PAINT_WARN;
	return c->close == TCPHS_CLOSE_OPEN ? TCPHS_PAINT_GOOD : TCPHS_PAINT_PLAIN;
}

static void list_time(const struct tcphs_view *v, const struct tcphs_connection *c,
		      char text[TIME])
{
	struct tcphs_clock clock = v->ladder.clock;
	char span[TCPHS_CLOCK_SIZE];
	uint64_t until;

	strcpy(text, "-");
	switch (v->list_time) {
	case TCPHS_VIEW_HANDSHAKE:
		if (c->opened)
			tcphs_number_span(c->opened, text);
		break;
	case TCPHS_VIEW_LASTED:
		/* One that lives has lasted until now. */
		until = c->ended ? c->ended : v->context.last;
		if (c->began && until > c->began)
			tcphs_number_span(until - c->began, text);
		break;
	case TCPHS_VIEW_START:
		clock.times = TCPHS_TIMES_DEFAULT;
		/* To the millisecond: "04:07:14.280" */
		snprintf(text, TIME, "%.12s", tcphs_clock_row(&clock, c->start, span));
		break;
	case TCPHS_VIEW_SINCE:
		if (c->start >= v->first)
			tcphs_number_span(c->start - v->first, text);
		break;
	default:
		break;
	}
}

static void owner(const struct tcphs_side *side, char *text, size_t size)
{
	char comm[32];

	snprintf(text, size, "-");
	if (side->socket && side->owner.known)
		snprintf(text, size, "%s/%u",
			 tcphs_output_clean(side->owner.comm, comm, sizeof(comm)),
			 side->owner.pid);
}

static int time_columns(const struct tcphs_view *v)
{
	return v->list_time == TCPHS_VIEW_START ? 12 : 11;
}

static void draw_row(struct tcphs_view *v, int y, const struct tcphs_shelf_row *row, bool chosen)
{
	char text[TCPHS_VIEW_TEXT], time[TIME], name[2][TCPHS_ADDRESS_SIZE] = { "?", "?" };
	char owners[2][64] = { "", "" };
	const char *close, *again;
	const struct tcphs_connection *c;
	struct tcphs_connection *made;
	unsigned int i;

	c = tcphs_rows_connection(v, row, &made);
	for (i = 0; i < 2; i++)
		if (c->side[i].port)
			tcphs_address_end(c->side[i].address, c->side[i].inet6,
					  c->side[i].port, name[i]);
	close = tcphs_verdict_close(c->close);
	/* Capitals: a state; of one that is still open. */
	if (c->close == TCPHS_CLOSE_OPEN || (!close && !row->over))
		close = state_now(c);
	list_time(v, c, time);
	again = c->whole == TCPHS_WHOLE_COMPLETE ? "" : tcphs_verdict_whole(c->whole);
	snprintf(text, sizeof(text), "#%-4lu %s%-11s %-15s%s %*s  %s > %s %s", row->number,
		 tcphs_output_paint(&v->ladder.output, paint_of(c)),
		 tcphs_verdict_open(c->open), close ? close : "-",
		 tcphs_output_plain(&v->ladder.output), time_columns(v), time, name[0],
		 name[1], again);
	if (tcphs_screen_columns() >= WIDE_OWNER) {
		owner(&c->side[TCPHS_CLIENT], owners[0], sizeof(owners[0]));
		owner(&c->side[TCPHS_SERVER], owners[1], sizeof(owners[1]));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  (%s > %s)",
			 owners[0], owners[1]);
	}
	tcphs_connection_free(made);
	tcphs_screen_row(y, chosen ? TCPHS_LOOK_CHOSEN : TCPHS_LOOK_PLAIN, text, v->skip);
}

void tcphs_rows_draw(struct tcphs_view *v)
{
	char text[TCPHS_VIEW_TEXT], over[TCPHS_NUMBER_SIZE], kept[TCPHS_NUMBER_SIZE];
	size_t i, high = tcphs_view_room(2);

	tcphs_number_count(tcphs_shelf_over(v->shelf), over);
	tcphs_number_count(tcphs_shelf_kept(v->shelf), kept);
	snprintf(text, sizeof(text), "tcphs live  %s%s%s%s%zu connection%s%s%s%s",
		 v->paused ? "PAUSED  " : v->ended ? "END OF RECORDS  " : "",
		 *v->expression ? "filter: " : "", v->expression,
		 *v->expression ? "  " : "", v->rows, v->rows == 1 ? "" : "s",
		 tcphs_shelf_over(v->shelf) > tcphs_shelf_kept(v->shelf) ? ", of those over the newest " : "",
		 tcphs_shelf_over(v->shelf) > tcphs_shelf_kept(v->shelf) ? kept : "",
		 tcphs_shelf_over(v->shelf) > tcphs_shelf_kept(v->shelf) ? " are kept" : "");
	tcphs_screen_row(0, TCPHS_LOOK_BAR, text, 0);
	snprintf(text, sizeof(text), "%-5s %-11s %-15s %*s  CLIENT > SERVER", "CONN", "OPEN",
		 "CLOSE", time_columns(v), list_time_name[v->list_time]);
	tcphs_screen_row(1, TCPHS_LOOK_BAR, text, v->skip);
	if (v->chosen < v->top)
		v->top = v->chosen;
	if (high && v->chosen >= v->top + high)
		v->top = v->chosen - high + 1;
	if (v->top + high > v->rows)
		v->top = v->rows > high ? v->rows - high : 0;
	for (i = 0; i < high; i++) {
		if (v->top + i < v->rows)
			draw_row(v, 2 + i, &v->row[v->top + i], v->top + i == v->chosen);
		else
			tcphs_screen_row(2 + i, TCPHS_LOOK_PLAIN,
					 !i && !v->ended ? "no connection yet" :
					 !i ? "no connection" : "", 0);
	}
}
