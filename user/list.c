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
#include "names.h"
#include "number.h"
#include "output.h"
#include "owner.h"
#include "story.h"
#include "verdict.h"

/* From how many columns on a row has ... */
enum {
	WIDE_STATE = 90,
	WIDE_START = 112,
	WIDE_OWNER = 140,
	TEXT = 160,
};

struct list {
	const struct tcphs_settings *s;
	struct tcphs_output output;
	struct tcphs_clock clock;
	bool begun;
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
	fputs(tcphs_output_paint(&l->output, TCPHS_PAINT_STRONG), stdout);
	if (l->start)
		printf("%-*s ", (int)strlen(tcphs_clock_row(&clock, 0, time)), "START");
	printf("%-12s %-15s %9s  ", "OPEN", "CLOSE", "HANDSHAKE");
	if (l->state)
		printf("%-21s ", "STATE");
	fputs("CLIENT > SERVER", stdout);
	if (l->owner)
		fputs("  (OWNERS)", stdout);
	printf("%s\n", tcphs_output_plain(&l->output));
}

static void start(struct list *l, uint64_t ts)
{
	char time[TCPHS_CLOCK_SIZE];

	if (l->start)
		printf("%s%s%s ", tcphs_output_paint(&l->output, TCPHS_PAINT_DIM),
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

static void word(const struct list *l, enum tcphs_paint paint, int columns,
		 const char *text)
{
	printf("%s%-*s%s ", tcphs_output_paint(&l->output, paint), columns, text,
	       paint == TCPHS_PAINT_PLAIN ? "" : tcphs_output_plain(&l->output));
}

static void connection(void *arg, const struct tcphs_connection *c)
{
	char now[TEXT], client[TEXT], server[TEXT], span[TCPHS_NUMBER_SIZE] = "-";
	char name[2][TCPHS_ADDRESS_SIZE] = { "?", "?" };
	const char *close = tcphs_verdict_close(c->close);
	char more[TCPHS_OWNER_SIZE];
	struct list *l = arg;
	unsigned int i;

	if (l->s->json) {
		tcphs_json_connection(c);
		return;
	}
	heading(l);
	start(l, c->start);
	state(c, now);
	if (c->opened)
		tcphs_number_span(c->opened, span);
	word(l, paint_open(c), 12, tcphs_verdict_open(c->open));
	/* Without a column for the state, it stands for "open". */
	if (c->close == TCPHS_CLOSE_OPEN && !l->state)
		close = now;
	word(l, paint_close(c), 15, close ? close : "-");
	printf("%9s  ", span);
	if (l->state)
		word(l, TCPHS_PAINT_STATE, 21, now);
	for (i = 0; i < 2; i++)
		if (c->side[i].port)
			tcphs_address_end(c->side[i].address, c->side[i].inet6,
					  c->side[i].port, name[i]);
	printf("%s > %s", name[TCPHS_CLIENT], name[TCPHS_SERVER]);
	if (l->owner) {
		owner(&c->side[TCPHS_CLIENT].owner, c->side[TCPHS_CLIENT].socket, client);
		owner(&c->side[TCPHS_SERVER].owner, c->side[TCPHS_SERVER].socket, server);
		if (l->s->owner) {
			add_credentials(client, tcphs_owner_side(&c->side[TCPHS_CLIENT], more));
			add_credentials(server, tcphs_owner_side(&c->side[TCPHS_SERVER], more));
		}
		printf("  (%s > %s)", client, server);
	}
	if (c->whole != TCPHS_WHOLE_COMPLETE)
		printf("  %s%s%s", tcphs_output_paint(&l->output, TCPHS_PAINT_WARN),
		       tcphs_verdict_whole(c->whole), tcphs_output_plain(&l->output));
	putchar('\n');
}

static void listener(void *arg, const struct tcphs_end *e, const struct tcphs_context *x)
{
	struct tcphs_owner who = { 0 };
	char name[TCPHS_ADDRESS_SIZE] = "?", text[TEXT], more[TCPHS_OWNER_SIZE];
	char counts[TCPHS_LISTENER_SIZE];
	struct list *l = arg;
	size_t i;

	if (l->s->json) {
		tcphs_json_listener(e, x);
		return;
	}
	heading(l);
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
	printf("%9s  ", "-");
	if (l->state)
		word(l, TCPHS_PAINT_STATE, 21, tcphs_names_state(e->state));
	if (e->tuple.lport)
		tcphs_address_end(e->tuple.local, e->tuple.inet6, e->tuple.lport, name);
	fputs(name, stdout);
	if (l->owner) {
		owner(&who, true, text);
		if (l->s->owner)
			add_credentials(text, tcphs_owner_listener(e,
				tcphs_host_netns(x->hosts, e->netns), more));
		printf("  (%s)", text);
	}
	tcphs_listener_text(&e->counts, counts);
	printf("%s%s\n", *counts ? "  " : "", counts);
}

int tcphs_list_run(const struct tcphs_settings *s)
{
	struct list l = { .s = s };
	struct tcphs_story story = {
		.header = header,
		.connection = connection,
		.listener = listener,
		.arg = &l,
	};

	tcphs_output_init(&l.output, s);
	l.state = !l.output.terminal || l.output.width >= WIDE_STATE;
	l.start = !l.output.terminal || l.output.width >= WIDE_START;
	l.owner = s->owner || !l.output.terminal || l.output.width >= WIDE_OWNER;
	if (s->times != TCPHS_TIMES_DEFAULT)
		l.start = s->times != TCPHS_TIMES_NONE;
	return tcphs_story_tell(s, &story);
}
