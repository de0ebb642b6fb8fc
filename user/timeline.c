// SPDX-License-Identifier: GPL-2.0
/* `tcphs timeline`: each connection as a ladder, or as a JSON object. */
#include "command.h"
#include "json.h"
#include "ladder.h"
#include "story.h"

struct timeline {
	const struct tcphs_settings *s;
	struct tcphs_ladder ladder;
	unsigned long number;
};

static void header(void *arg, const struct tcphs_input *in)
{
	const struct tcphs_header *h = tcphs_input_header(in);
	struct timeline *t = arg;

	t->ladder.hosts = tcphs_input_hosts(in);
	if (t->s->json)
		tcphs_json_hosts(t->ladder.hosts);
	else
		tcphs_output_hosts(&t->ladder.output, t->ladder.hosts);
	t->ladder.clock.times = t->s->times;
	t->ladder.clock.wall_offset = h->wall_offset;
}

static void connection(void *arg, const struct tcphs_connection *c)
{
	struct timeline *t = arg;

	if (t->s->json && t->s->explain)
		tcphs_json_explained(stdout, c);
	else if (t->s->json)
		tcphs_json_connection(stdout, c);
	else
		tcphs_ladder_connection(&t->ladder, c, ++t->number);
}

static void listener(void *arg, const struct tcphs_end *l, const struct tcphs_context *x)
{
	struct timeline *t = arg;

	if (t->s->json)
		tcphs_json_listener(l, x);
	else
		tcphs_ladder_listener(&t->ladder, l);
}

int tcphs_timeline_run(const struct tcphs_settings *s)
{
	struct timeline t = { .s = s };
	struct tcphs_story story = {
		.header = header,
		.connection = connection,
		.listener = listener,
		.arg = &t,
	};

	tcphs_output_init(&t.ladder.output, s);
	t.ladder.absolute = s->absolute;
	t.ladder.explain = s->explain;
	t.ladder.owner = s->owner;
	return tcphs_story_tell(s, &story);
}
