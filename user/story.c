// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "filter.h"
#include "memory.h"
#include "message.h"
#include "output.h"
#include "progress.h"
#include "stop.h"
#include "story.h"

struct teller {
	const struct tcphs_settings *s;
	const struct tcphs_story *story;
	struct tcphs_flow *flow;
	struct tcphs_context context;
	uint64_t told;
	bool finishing;		/* the rest is given out, oldest first */

	/* Connections that wait for an older one: a heap by their beginning. */
	struct tcphs_connection **heap;
	size_t count;
	size_t room;
};

/* ---- the heap ------------------------------------------------------------- */

static bool older(const struct tcphs_connection *a, const struct tcphs_connection *b)
{
	return a->start < b->start;
}

static void push(struct teller *t, struct tcphs_connection *c)
{
	size_t i, parent;

	t->heap = tcphs_memory_grow(t->heap, t->count, &t->room, sizeof(*t->heap));
	for (i = t->count++; i; i = parent) {
		parent = (i - 1) / 2;
		if (!older(c, t->heap[parent]))
			break;
		t->heap[i] = t->heap[parent];
	}
	t->heap[i] = c;
}

static struct tcphs_connection *pop(struct teller *t)
{
	struct tcphs_connection *top = t->heap[0];
	struct tcphs_connection *last = t->heap[--t->count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < t->count) {
		if (child + 1 < t->count && older(t->heap[child + 1], t->heap[child]))
			child++;
		if (!older(t->heap[child], last))
			break;
		t->heap[i] = t->heap[child];
		i = child;
	}
	t->heap[i] = last;
	return top;
}

/* ---- telling -------------------------------------------------------------- */

static bool enough(const struct teller *t)
{
	/* Or nobody reads it any more. */
	return (t->s->count && t->told >= t->s->count) || ferror(stdout);
}

static void tell(struct teller *t, struct tcphs_connection *c)
{
	if (!enough(t)) {
		tcphs_progress_yield();
		t->story->connection(t->story->arg, c);
		t->told++;
	}
	tcphs_connection_free(c);
}

static bool wanted(const struct teller *t, const struct tcphs_end *a,
		   const struct tcphs_end *b)
{
	const struct tcphs_hosts *hosts = t->context.hosts;
	uint32_t netns = t->s->netns;

	if (netns && tcphs_host_netns(hosts, a->netns) != netns &&
	    !(b && tcphs_host_netns(hosts, b->netns) == netns))
		return false;
	return tcphs_filter_match(t->s->filter, &a->tuple);
}

/* Tell those that nothing older can precede any more. */
static void tell_ripe(struct teller *t)
{
	uint64_t oldest = tcphs_flow_oldest(t->flow);

	while (t->count && t->heap[0]->start <= oldest)
		tell(t, pop(t));
}

static void take(void *arg, const struct tcphs_end *a, const struct tcphs_end *b)
{
	struct teller *t = arg;
	struct tcphs_connection *c;

	if (!wanted(t, a, b))
		return;
	if (a->role == TCPHS_ROLE_LISTENER) {
		while (t->count)
			tell(t, pop(t));
		if (enough(t))
			return;
		tcphs_progress_yield();
		t->story->listener(t->story->arg, a, &t->context);
		return;
	}
	c = tcphs_connection_new(&t->context, a, b);
	if (t->s->follow) {
		tell(t, c);
		return;
	}
	push(t, c);
	if (t->finishing)
		tell_ripe(t);
}

static void read_all(struct teller *t, struct tcphs_input *source)
{
	struct tcphs_record r;
	unsigned int i = 0;

	while (!enough(t)) {
		switch (tcphs_input_read(source, &r)) {
		case TCPHS_SOURCE_END:
			return;
		case TCPHS_SOURCE_IDLE:
			tcphs_flow_advance(t->flow, tcphs_stop_now());
			if (!tcphs_output_flush())
				return;
			break;
		case TCPHS_SOURCE_RECORD:
			if (t->s->follow && tcphs_stop_reached(t->s->nfiles ? 0 : r.ts))
				return;
			if (r.ts > t->context.last)
				t->context.last = r.ts;
			tcphs_flow_feed(t->flow, &r);
			if (t->count)
				tell_ripe(t);
			if (!t->s->follow && !(++i % 4096))
				tcphs_progress_show("reading", tcphs_input_share(source));
			continue;
		}
		if (t->s->follow && tcphs_stop_asked())
			return;
	}
}

int tcphs_story_tell(const struct tcphs_settings *s, const struct tcphs_story *story)
{
	struct teller t = { .s = s, .story = story };
	const struct tcphs_header *h;
	struct tcphs_input *source;
	int status;

	source = tcphs_input_open(s, s->follow, &status);
	if (!source)
		return status;
	if (s->follow)
		tcphs_stop_catch(s->seconds);
	h = tcphs_input_header(source);
	tcphs_connection_context(&t.context, h, tcphs_input_hosts(source));
	t.flow = tcphs_flow_new(s->follow, take, &t);
	tcphs_flow_hosts(t.flow, t.context.hosts);
	if (story->header)
		story->header(story->arg, source);
	read_all(&t, source);
	/* Nothing came later although it could have: what is on its way, is not. */
	if (!s->nfiles && h->opened > t.context.last)
		t.context.last = h->opened;
	t.finishing = true;
	if (!enough(&t))
		tcphs_flow_finish(t.flow);
	while (t.count)
		tell(&t, pop(&t));
	tcphs_progress_wipe();
	if (story->finish)
		story->finish(story->arg, tcphs_input_lost(source), t.context.last);
	tcphs_flow_free(t.flow);
	free(t.heap);
	return tcphs_input_finish(source, 0, s->strict);
}
