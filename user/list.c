// SPDX-License-Identifier: GPL-2.0
/* `tcphs list`: one row per connection; wider terminals get more columns. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "listener.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "order.h"
#include "output.h"
#include "owner.h"
#include "report.h"
#include "story.h"
#include "summary.h"
#include "verdict.h"

/* From how many columns on a row has ... */
enum {
	WIDE_STATE = 90,
	WIDE_START = 112,
	WIDE_NUMBERS = 150,
	WIDE_OWNER = 190,
	TEXT = 160,
};

struct list {
	const struct tcphs_settings *s;
	struct tcphs_output output;
	struct tcphs_clock clock;
	FILE *to;			/* standard output, or a row to be sorted */
	struct tcphs_order *order;	/* NULL: as they come */
	struct tcphs_summary summary;
	bool begun;
	bool numbers;
	bool state;
	bool start;
	bool owner;
};

static void header(void *arg, const struct tcphs_input *in)
{
	const struct tcphs_header *h = tcphs_input_header(in);
	struct list *l = arg;

	if (l->s->json)
		tcphs_json_hosts(tcphs_input_hosts(in));
	else
		tcphs_output_hosts(&l->output, tcphs_input_hosts(in));
	l->clock.times = l->s->times;
	l->clock.wall_offset = h->wall_offset;
}

static void heading(struct list *l)
{
	char time[TCPHS_CLOCK_SIZE];
	struct tcphs_clock clock = l->clock;

	if (l->begun)
		return;
	l->begun = true;
	fputs(tcphs_output_paint(&l->output, TCPHS_PAINT_STRONG), l->to);
	if (l->start)
		fprintf(l->to, "%-*s ", (int)strlen(tcphs_clock_row(&clock, 0, time)), "START");
	fprintf(l->to, "%-12s %-15s %9s  ", "OPEN", "CLOSE", "HANDSHAKE");
	if (l->numbers)
		fprintf(l->to, "%8s %9s %9s %5s  ", "LASTED", "SENT", "RECEIVED", "AGAIN");
	if (l->state)
		fprintf(l->to, "%-21s ", "STATE");
	fputs("CLIENT > SERVER", l->to);
	if (l->owner)
		fputs("  (OWNERS)", l->to);
	fprintf(l->to, "%s\n", tcphs_output_plain(&l->output));
}

static void start(struct list *l, uint64_t ts)
{
	char time[TCPHS_CLOCK_SIZE];

	if (l->start)
		fprintf(l->to, "%s%s%s ", tcphs_output_paint(&l->output, TCPHS_PAINT_DIM),
		       tcphs_clock_row(&l->clock, ts, time),
		       tcphs_output_plain(&l->output));
}

static void owner(const struct tcphs_owner *o, bool socket, char text[TEXT])
{
	char comm[32];

	if (socket && o->known)
		snprintf(text, TEXT, "%s/%" PRIu32,
			 tcphs_output_clean(o->comm, comm, sizeof(comm)), o->pid);
	else
		strcpy(text, "-");
}

/* With --owner, behind the process. */
static void add_credentials(char text[TEXT], const char *more)
{
	size_t used = strlen(text);

	if (*more)
		snprintf(text + used, TEXT - used, " %s", more);
}

/* The state now, of both ends where both have one: "TIME_WAIT/CLOSE". */
static void state(const struct tcphs_connection *c, char text[TEXT])
{
	const char *name[2] = { NULL, NULL };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (c->side[i].nstates)
			name[i] = tcphs_names_state(
				c->side[i].states[c->side[i].nstates - 1].state);
	if (name[0] && name[1] && strcmp(name[0], name[1]))
		snprintf(text, TEXT, "%s/%s", name[0], name[1]);
	else
		snprintf(text, TEXT, "%s", name[0] ? name[0] : name[1] ? name[1] : "-");
}

static enum tcphs_paint paint_open(const struct tcphs_connection *c)
{
	if (c->open <= TCPHS_OPEN_SYN_COOKIE)
		return TCPHS_PAINT_PLAIN;
	return c->open == TCPHS_OPEN_UNSEEN ? TCPHS_PAINT_WARN : TCPHS_PAINT_BAD;
}

static enum tcphs_paint paint_close(const struct tcphs_connection *c)
{
	switch (c->close) {
	case TCPHS_CLOSE_RESET_BY_CLIENT:
	case TCPHS_CLOSE_RESET_BY_SERVER:
	case TCPHS_CLOSE_TIMED_OUT:
		return TCPHS_PAINT_BAD;
	case TCPHS_CLOSE_UNSEEN:
		return TCPHS_PAINT_WARN;
	default:
		return TCPHS_PAINT_PLAIN;
	}
}

static void word(struct list *l, enum tcphs_paint paint, int columns,
		 const char *text)
{
	fprintf(l->to, "%s%-*s%s ", tcphs_output_paint(&l->output, paint), columns, text,
	       paint == TCPHS_PAINT_PLAIN ? "" : tcphs_output_plain(&l->output));
}

/* "   45.1 ms       5       7     0": how long, bytes each way, sent again. */
static void numbers(struct list *l, const struct tcphs_connection *c)
{
	char text[TCPHS_NUMBER_SIZE];
	unsigned int i;
	uint64_t copies, lasted;

	fprintf(l->to, "%8s ", tcphs_connection_lasted(c, &lasted) ?
		tcphs_number_span(lasted, text) : "-");
	for (i = 0; i < 2; i++)
		fprintf(l->to, "%9s ", c->side[i].bytes_known ?
			tcphs_number_count(c->side[i].bytes, text) : "-");
	if (tcphs_order_copies(c, &copies))
		tcphs_number_count(copies, text);
	else
		strcpy(text, "-");
	fprintf(l->to, "%s%5s%s  ", tcphs_output_paint(&l->output, copies ?
						       TCPHS_PAINT_WARN : TCPHS_PAINT_PLAIN),
		text, copies ? tcphs_output_plain(&l->output) : "");
}

static void print_connection(struct list *l, const struct tcphs_connection *c)
{
	char now[TEXT], client[TEXT], server[TEXT], span[TCPHS_NUMBER_SIZE] = "-";
	char name[2][TCPHS_ADDRESS_SIZE] = { "?", "?" };
	const char *close = tcphs_verdict_close(c->close);
	char more[TCPHS_OWNER_SIZE];
	unsigned int i;

	start(l, c->start);
	state(c, now);
	if (c->opened)
		tcphs_number_span(c->opened, span);
	word(l, paint_open(c), 12, tcphs_verdict_open(c->open));
	/* Without a column for the state, it stands for "open". */
	if (c->close == TCPHS_CLOSE_OPEN && !l->state)
		close = now;
	word(l, paint_close(c), 15, close ? close : "-");
	fprintf(l->to, "%9s  ", span);
	if (l->numbers)
		numbers(l, c);
	if (l->state)
		word(l, TCPHS_PAINT_STATE, 21, now);
	for (i = 0; i < 2; i++)
		if (c->side[i].port)
			tcphs_address_end(c->side[i].address, c->side[i].inet6,
					  c->side[i].port, name[i]);
	fprintf(l->to, "%s > %s", name[TCPHS_CLIENT], name[TCPHS_SERVER]);
	if (l->owner) {
		owner(&c->side[TCPHS_CLIENT].owner, c->side[TCPHS_CLIENT].socket, client);
		owner(&c->side[TCPHS_SERVER].owner, c->side[TCPHS_SERVER].socket, server);
		if (l->s->owner) {
			add_credentials(client, tcphs_owner_side(&c->side[TCPHS_CLIENT], more));
			add_credentials(server, tcphs_owner_side(&c->side[TCPHS_SERVER], more));
		}
		fprintf(l->to, "  (%s > %s)", client, server);
	}
	if (c->whole != TCPHS_WHOLE_COMPLETE)
		fprintf(l->to, "  %s%s%s", tcphs_output_paint(&l->output, TCPHS_PAINT_WARN),
		       tcphs_verdict_whole(c->whole), tcphs_output_plain(&l->output));
	putc('\n', l->to);
}

static void connection(void *arg, const struct tcphs_connection *c)
{
	struct list *l = arg;
	char *text = NULL;
	size_t size;

	tcphs_summary_add(&l->summary, c);
	if (!l->s->json)
		heading(l);
	if (l->order) {
		l->to = open_memstream(&text, &size);
		if (!l->to)
			tcphs_memory_fail();
	}
	if (l->s->json)
		tcphs_json_connection(l->to, c);
	else
		print_connection(l, c);
	if (!l->order)
		return;
	if (fclose(l->to))
		tcphs_memory_fail();
	l->to = stdout;
	tcphs_order_add(l->order, c, text);
}

/* Connections come before listeners, and all before the end. */
static void print_sorted(struct list *l)
{
	if (l->order)
		tcphs_order_print(l->order, l->s->count, l->to);
}

static void listener(void *arg, const struct tcphs_end *e, const struct tcphs_context *x)
{
	struct tcphs_owner who = { 0 };
	char name[TCPHS_ADDRESS_SIZE] = "?", text[TEXT], more[TCPHS_OWNER_SIZE];
	char counts[TCPHS_LISTENER_SIZE];
	struct list *l = arg;
	size_t i;

	l->summary.listeners++;
	print_sorted(l);
	if (l->s->json) {
		tcphs_json_listener(e, x);
		return;
	}
	heading(l);
	/* Listeners come last, in an order of their own: no time before the first one. */
	if (l->summary.listeners == 1)
		l->clock.last = e->first;
	start(l, e->first);
	for (i = 0; i < e->records && !who.known; i++) {
		const struct tcphs_transition *t = &e->record[i].transition;

		if (e->record[i].kind != TCPHS_TRANSITION || !(t->has & TCPHS_HAS_OWNER))
			continue;
		who.known = true;
		who.pid = t->pid;
		memcpy(who.comm, t->comm, sizeof(who.comm));
	}
	word(l, TCPHS_PAINT_PLAIN, 12, "listener");
	word(l, TCPHS_PAINT_PLAIN, 15, l->state ? "-" : tcphs_names_state(e->state));
	fprintf(l->to, "%9s  ", "-");
	if (l->numbers)
		fprintf(l->to, "%8s %9s %9s %5s  ", "-", "-", "-", "-");
	if (l->state)
		word(l, TCPHS_PAINT_STATE, 21, tcphs_names_state(e->state));
	if (e->tuple.lport)
		tcphs_address_end(e->tuple.local, e->tuple.inet6, e->tuple.lport, name);
	fputs(name, l->to);
	if (l->owner) {
		owner(&who, true, text);
		if (l->s->owner)
			add_credentials(text, tcphs_owner_listener(e,
				tcphs_host_netns(x->hosts, e->netns), more));
		fprintf(l->to, "  (%s)", text);
	}
	tcphs_listener_text(e, counts);
	fprintf(l->to, "%s%s", *counts ? "  " : "", counts);
	if (strcmp(tcphs_listener_whole(e), "complete"))
		fprintf(l->to, "  %s%s%s", tcphs_output_paint(&l->output, TCPHS_PAINT_WARN),
			tcphs_listener_whole(e), tcphs_output_plain(&l->output));
	fputc('\n', l->to);
}

static void finish(void *arg, uint64_t lost, uint64_t last)
{
	struct list *l = arg;

	(void)last;
	print_sorted(l);
	if (l->s->json) {
		tcphs_json_summary(&l->summary, lost);
		return;
	}
	if (l->begun)
		fputc('\n', l->to);
	tcphs_report_print(l->to, &l->output, &l->summary, true);
}

int tcphs_list_run(const struct tcphs_settings *s)
{
	struct list l = { .s = s, .to = stdout };
	struct tcphs_settings all = *s;
	int status;
	struct tcphs_story story = {
		.header = header,
		.connection = connection,
		.listener = listener,
		.finish = finish,
		.arg = &l,
	};

	tcphs_output_init(&l.output, s);
	l.state = !l.output.terminal || l.output.width >= WIDE_STATE;
	l.numbers = !l.output.terminal || l.output.width >= WIDE_NUMBERS;
	l.start = !l.output.terminal || l.output.width >= WIDE_START;
	l.owner = s->owner || !l.output.terminal || l.output.width >= WIDE_OWNER;
	if (s->times != TCPHS_TIMES_DEFAULT)
		l.start = s->times != TCPHS_TIMES_NONE;
	if (s->order) {
		/* The first ones are known when all have come. */
		all.count = 0;
		l.order = tcphs_order_new(s->order, s->reverse);
	}
	status = tcphs_story_tell(&all, &story);
	tcphs_order_free(l.order);
	return status;
}
