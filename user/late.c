// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "late.h"
#include "memory.h"
#include "number.h"

/* The side whose end the record is of: it is in TIME_WAIT. */
static bool is_of(const struct tcphs_side *s, const struct tcphs_record *r)
{
	struct tcphs_tuple t;

	tcphs_address_tuple(r, &t);
	return s->nstates && s->states[s->nstates - 1].state == TCPHS_TIME_WAIT &&
	       s->port == t.lport && s->inet6 == t.inet6 &&
	       !memcmp(s->address, t.local, sizeof(s->address));
}

static void enter_close(struct tcphs_side *s, uint64_t ts)
{
	size_t room = s->nstates;

	s->states = tcphs_memory_grow(s->states, s->nstates, &room, sizeof(*s->states));
	s->states[s->nstates++] = (struct tcphs_stay){ ts, TCPHS_CLOSE, TCPHS_VIA_TIMEWAIT };
}

static struct tcphs_step *add_step(struct tcphs_connection *c, uint64_t ts)
{
	size_t room = c->nsteps;
	struct tcphs_step *step;

	c->steps = tcphs_memory_grow(c->steps, c->nsteps, &room, sizeof(*c->steps));
	step = &c->steps[c->nsteps];
	memset(step, 0, sizeof(*step));
	step->kind = TCPHS_STEP_STATE;
	step->ts = ts;
	step->made = c->nsteps;
	if (c->nsteps)
		memcpy(step->after, step[-1].after, sizeof(step->after));
	c->nsteps++;
	return step;
}

bool tcphs_late_take(struct tcphs_connection *c, const struct tcphs_record *r)
{
	const struct tcphs_transition *t = &r->transition;
	char span[TCPHS_NUMBER_SIZE], note[TCPHS_NUMBER_SIZE + 24];
	const struct tcphs_stay *stay;
	struct tcphs_step *step;
	unsigned int side;

	if (r->kind != TCPHS_TRANSITION || t->via != TCPHS_VIA_TIMEWAIT ||
	    t->old != TCPHS_TIME_WAIT || t->new != TCPHS_CLOSE)
		return false;
	for (side = 0; side < 2 && !is_of(&c->side[side], r); side++)
		;
	/* Later ones have been told already. */
	if (side == 2 || (c->nsteps && r->ts < c->steps[c->nsteps - 1].ts))
		return false;
	stay = tcphs_connection_stay(&c->side[side], TCPHS_TIME_WAIT);
	step = add_step(c, r->ts);
	step->from = side;
	if (stay && stay->ts && stay->ts < r->ts) {
		snprintf(note, sizeof(note), "TIME_WAIT lasted %s",
			 tcphs_number_span(r->ts - stay->ts, span));
		step->note = tcphs_memory_text(note);
	}
	/* A socket connected to itself is both sides. */
	for (; side < 2; side++) {
		struct tcphs_side *s = &c->side[side];

		if (!is_of(s, r))
			continue;
		enter_close(s, r->ts);
		step->after[side] = TCPHS_CLOSE;
		if (side == step->from)
			step->entered[side] = (struct tcphs_entered){ s->nstates - 1, 1 };
	}
	return true;
}
