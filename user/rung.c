// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "names.h"
#include "rung.h"

#define CONTROL (TCPHS_SYN | TCPHS_FIN | TCPHS_RST)

static struct tcphs_rung *add(struct tcphs_rungs *r, enum tcphs_rung_kind kind,
			      uint64_t ts, const struct tcphs_step *step)
{
	struct tcphs_rung *rung;

	r->rung = tcphs_memory_grow(r->rung, r->count, &r->room, sizeof(*r->rung));
	rung = &r->rung[r->count];
	memset(rung, 0, sizeof(*rung));
	rung->kind = kind;
	rung->ts = ts;
	rung->step = step;
	rung->made = r->count++;
	return rung;
}

static bool is_control(const struct tcphs_step *step)
{
	return step->kind == TCPHS_STEP_SEGMENT && step->segment.flags & CONTROL;
}

/*
 * Does something happen at the receiving side between the sending and the
 * arrival of step i? Then one row would tell it in the wrong order.
 */
static bool crosses(const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *step = &c->steps[i];
	size_t k;

	if (!step->sent || !step->received)
		return false;
	for (k = i + 1; k < c->nsteps && c->steps[k].ts < step->received; k++) {
		const struct tcphs_step *other = &c->steps[k];

		if (other->kind == TCPHS_STEP_STATE) {
			if (other->entered[!step->from].count)
				return true;
			continue;
		}
		if (other->kind != TCPHS_STEP_SEGMENT || !other->sent ||
		    !(is_control(step) && is_control(other)))
			continue;
		if (other->from != step->from)
			return true;
		if (other->received && other->received < step->received)
			return true;
	}
	return false;
}

static bool closes(const struct tcphs_step *step)
{
	return step->kind == TCPHS_STEP_RESET ||
	       (step->kind == TCPHS_STEP_SEGMENT &&
		step->segment.flags & (TCPHS_FIN | TCPHS_RST) &&
		!(step->segment.flags & TCPHS_SYN));
}

static void add_data(struct tcphs_rungs *r, uint64_t ts, uint64_t client, uint64_t server)
{
	struct tcphs_rung *rung;

	if (!client && !server)
		return;
	rung = add(r, TCPHS_RUNG_DATA, ts, NULL);
	rung->bytes[TCPHS_CLIENT] = client;
	rung->bytes[TCPHS_SERVER] = server;
}

/*
 * What was sent, summed up where the segments with it are not recorded: before
 * the first FIN, and by the other side after it.
 */
static void make_data(struct tcphs_rungs *r, const struct tcphs_connection *c)
{
	uint64_t before[2], after = c->half_bytes_known ? c->half_bytes : 0;
	const struct tcphs_step *first = NULL, *second = NULL;
	unsigned int side;
	size_t i;

	if (c->all || !c->nsteps)
		return;
	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->foreign || !closes(step))
			continue;
		if (!first)
			first = step;
		else if (!second && step->from != first->from)
			second = step;
	}
	for (side = 0; side < 2; side++)
		before[side] = c->side[side].bytes_known ? c->side[side].bytes : 0;
	if (first && after && after <= before[!first->from])
		before[!first->from] -= after;
	else
		after = 0;
	add_data(r, first ? first->ts : c->steps[c->nsteps - 1].ts + 1,
		 before[TCPHS_CLIENT], before[TCPHS_SERVER]);
	if (after)
		add_data(r, second ? second->ts : c->steps[c->nsteps - 1].ts + 1,
			 first->from == TCPHS_CLIENT ? 0 : after,
			 first->from == TCPHS_CLIENT ? after : 0);
}

static int by_time(const void *a, const void *b)
{
	const struct tcphs_rung *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->made < y->made ? -1 : x->made > y->made;
}

void tcphs_rung_make(struct tcphs_rungs *r, const struct tcphs_connection *c)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	make_data(r, c);
	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		switch (step->kind) {
		case TCPHS_STEP_STATE:
			add(r, TCPHS_RUNG_STATE, step->ts, step);
			break;
		case TCPHS_STEP_GAP:
			add(r, TCPHS_RUNG_GAP, step->ts, step);
			break;
		case TCPHS_STEP_SEGMENT:
		case TCPHS_STEP_RESET:
			if (crosses(c, i)) {
				add(r, TCPHS_RUNG_LEAVES, step->sent, step);
				add(r, TCPHS_RUNG_COMES, step->received, step);
			} else {
				add(r, TCPHS_RUNG_ARROW, step->ts, step);
			}
			break;
		}
	}
	if (r->count)
		qsort(r->rung, r->count, sizeof(*r->rung), by_time);
}

void tcphs_rung_free(struct tcphs_rungs *r)
{
	free(r->rung);
	memset(r, 0, sizeof(*r));
}
