// SPDX-License-Identifier: GPL-2.0
/* `tcphs list`: one row per connection. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "command.h"
#include "json.h"
#include "names.h"
#include "number.h"
#include "output.h"
#include "story.h"
#include "verdict.h"

struct list {
	const struct tcphs_settings *s;
	struct tcphs_output output;
	struct tcphs_clock clock;
	bool begun;
};

static void header(void *arg, const struct tcphs_header *h)
{
	struct list *l = arg;

	l->clock.times = l->s->times;
	l->clock.wall_offset = h->wall_offset;
}

static void heading(struct list *l)
{
	if (l->begun)
		return;
	l->begun = true;
	printf("%s%-15s %-21s %-16s %-21s %-16s %-12s %-15s %9s  %s%s\n",
	       tcphs_output_paint(&l->output, TCPHS_PAINT_STRONG), "START", "CLIENT",
	       "OWNER", "SERVER", "OWNER", "OPEN", "CLOSE", "HANDSHAKE", "STATE",
	       tcphs_output_plain(&l->output));
}

static void end(const struct tcphs_side *s)
{
	char name[TCPHS_ADDRESS_SIZE] = "?", comm[32], owner[48] = "-";

	if (s->port)
		tcphs_address_end(s->address, s->inet6, s->port, name);
	if (s->socket && s->owner.known)
		snprintf(owner, sizeof(owner), "%s/%" PRIu32,
			 tcphs_output_clean(s->owner.comm, comm, sizeof(comm)),
			 s->owner.pid);
	printf(" %-21s %-16s", name, owner);
}

/* The state now, of both ends where both have one: "TIME_WAIT/CLOSE". */
static void state(const struct tcphs_connection *c)
{
	const char *name[2] = { NULL, NULL };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (c->side[i].nstates)
			name[i] = tcphs_names_state(
				c->side[i].states[c->side[i].nstates - 1].state);
	if (name[0] && name[1] && strcmp(name[0], name[1]))
		printf("  %s/%s", name[0], name[1]);
	else
		printf("  %s", name[0] ? name[0] : name[1] ? name[1] : "-");
}

static void connection(void *arg, const struct tcphs_connection *c)
{
	char text[TCPHS_CLOCK_SIZE], span[TCPHS_NUMBER_SIZE] = "-";
	const char *close = tcphs_verdict_close(c->close);
	struct list *l = arg;

	if (l->s->json) {
		tcphs_json_connection(c);
		return;
	}
	heading(l);
	if (c->opened)
		tcphs_number_span(c->opened, span);
	printf("%-15s", tcphs_clock_row(&l->clock, c->start, text));
	end(&c->side[TCPHS_CLIENT]);
	end(&c->side[TCPHS_SERVER]);
	printf(" %-12s %-15s %9s", tcphs_verdict_open(c->open), close ? close : "-",
	       span);
	state(c);
	if (c->whole != TCPHS_WHOLE_COMPLETE)
		printf("  %s", tcphs_verdict_whole(c->whole));
	putchar('\n');
}

static void listener(void *arg, const struct tcphs_end *e, const struct tcphs_context *x)
{
	const struct tcphs_transition *owner = NULL;
	char name[TCPHS_ADDRESS_SIZE] = "?", comm[32], text[TCPHS_CLOCK_SIZE];
	struct list *l = arg;
	size_t i;

	if (l->s->json) {
		tcphs_json_listener(e, x);
		return;
	}
	heading(l);
	for (i = 0; i < e->records && !owner; i++)
		if (e->record[i].kind == TCPHS_TRANSITION &&
		    e->record[i].transition.has & TCPHS_HAS_OWNER)
			owner = &e->record[i].transition;
	if (e->tuple.lport)
		tcphs_address_end(e->tuple.local, e->tuple.inet6, e->tuple.lport, name);
	printf("%-15s %-21s", tcphs_clock_row(&l->clock, e->first, text), name);
	if (owner)
		printf(" %s/%" PRIu32, tcphs_output_clean(owner->comm, comm, sizeof(comm)),
		       owner->pid);
	printf("  %s", tcphs_names_state(e->state));
	if (e->counts.syns)
		printf("  %" PRIu64 " SYN, %" PRIu64 " SYN,ACK, %" PRIu64
		       " cookies sent, %" PRIu64 " accepted, %" PRIu64 " failed, %"
		       PRIu64 " SYN dropped", e->counts.syns, e->counts.synacks,
		       e->counts.cookies_sent, e->counts.cookies_accepted,
		       e->counts.cookies_failed, e->counts.unanswered);
	putchar('\n');
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
	return tcphs_story_tell(s, &story);
}
