// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "names.h"
#include "rung.h"
#include "sum.h"

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
		if (other->from != step->from) {
			if (other->sent < step->received)
				return true;
		} else if (other->received && other->received < step->received) {
			return true;
		}
	}
	return false;
}

/* What was sent, summed up where the segments with it are not recorded. */
static void make_data(struct tcphs_rungs *r, const struct tcphs_connection *c)
{
	struct tcphs_sum sum[TCPHS_SUMS];
	size_t count = tcphs_sum_find(c, sum), i;

	for (i = 0; i < count; i++)
		memcpy(add(r, TCPHS_RUNG_DATA, sum[i].ts, NULL)->bytes, sum[i].bytes,
		       sizeof(sum[i].bytes));
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
