// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "clue.h"
#include "names.h"
#include "number.h"

enum { REASON_TIMEOUT = 15 };	/* enum sk_rst_reason: SK_RST_REASON_TCP_TIMEOUT */

bool tcphs_clue_was(const struct tcphs_side *s, unsigned int state)
{
	return tcphs_connection_stay(s, state) || (s->nstates && s->states[0].state == state);
}

bool tcphs_clue_died_opening(const struct tcphs_side *s)
{
	return s->fate.known && (s->fate.old == TCPHS_SYN_SENT ||
				 s->fate.old == TCPHS_SYN_RECV);
}

bool tcphs_clue_timed_out(const struct tcphs_side *s)
{
	if (s->rst_sent.known &&
	    (s->rst_sent.reason == REASON_TIMEOUT || s->rst_sent.error == ETIMEDOUT ||
	     (s->rst_sent.probes && !(s->rst_sent.fact & TCPHS_FACT_PROCESS))))
		return true;
	return s->fate.known && s->fate.error == ETIMEDOUT;
}

const struct tcphs_step *tcphs_clue_first(const struct tcphs_connection *c,
					  unsigned int from, unsigned int mask,
					  unsigned int flags)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && step->from == from &&
		    !step->foreign && (step->segment.flags & mask) == flags)
			return step;
	}
	return NULL;
}

const struct tcphs_step *tcphs_clue_first_rst(const struct tcphs_connection *c)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_RESET ||
		    (step->kind == TCPHS_STEP_SEGMENT && step->segment.flags & TCPHS_RST))
			return step;
	}
	return NULL;
}

void tcphs_clue_opening(const struct tcphs_connection *c, struct tcphs_opening *o)
{
	o->syn = tcphs_clue_first(c, TCPHS_CLIENT, TCPHS_SYN | TCPHS_ACK, TCPHS_SYN);
	o->synack = tcphs_clue_first(c, TCPHS_SERVER, TCPHS_SYN | TCPHS_ACK,
				     TCPHS_SYN | TCPHS_ACK);
	o->rst = tcphs_clue_first_rst(c);
}

bool tcphs_clue_acknowledges(const struct tcphs_step *step, unsigned int from,
			     uint32_t fin)
{
	return step->kind == TCPHS_STEP_SEGMENT && step->from == from && !step->foreign &&
	       (step->segment.flags & (TCPHS_ACK | TCPHS_RST)) == TCPHS_ACK &&
	       !tcphs_number_before(step->segment.ack, fin + 1);
}

const struct tcphs_step *tcphs_clue_first_ack(const struct tcphs_connection *c,
					      unsigned int from, uint32_t fin)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++)
		if (tcphs_clue_acknowledges(&c->steps[i], from, fin))
			return &c->steps[i];
	return NULL;
}

/*
 * The one that was in FIN_WAIT1 (the other one went through CLOSE_WAIT), or whose FIN
 * left first.
 */
unsigned int tcphs_clue_first_to_close(const struct tcphs_connection *c)
{
	const struct tcphs_step *fin[2];

	if (tcphs_clue_was(&c->side[0], TCPHS_CLOSE_WAIT) ||
	    tcphs_clue_was(&c->side[1], TCPHS_FIN_WAIT1))
		if (!tcphs_clue_was(&c->side[0], TCPHS_FIN_WAIT1))
			return TCPHS_SERVER;
	if (tcphs_clue_was(&c->side[1], TCPHS_CLOSE_WAIT) ||
	    tcphs_clue_was(&c->side[0], TCPHS_FIN_WAIT1))
		if (!tcphs_clue_was(&c->side[1], TCPHS_FIN_WAIT1))
			return TCPHS_CLIENT;
	fin[0] = tcphs_clue_first(c, TCPHS_CLIENT, TCPHS_FIN, TCPHS_FIN);
	fin[1] = tcphs_clue_first(c, TCPHS_SERVER, TCPHS_FIN, TCPHS_FIN);
	if (fin[0] && fin[1])
		return fin[1]->ts < fin[0]->ts ? TCPHS_SERVER : TCPHS_CLIENT;
	return fin[1] ? TCPHS_SERVER : TCPHS_CLIENT;
}

/*
 * Did a segment without FIN, that `step` is, leave before its sender's FIN with
 * number `fin`? A pure ACK has the number that comes next: whichever of the two
 * arrived first, one that left afterwards is past the FIN. Data is only sent
 * again here, else it is a half-close: its number is old, its place tells.
 */
static bool left_before(const struct tcphs_step *step, const struct tcphs_step *second,
			uint32_t fin)
{
	if (step->segment.len)
		return step->ts < second->ts;
	return !tcphs_number_before(fin, step->segment.seq);
}

/*
 * Where no data is recorded, an ACK may have come with data that was sent again:
 * FIN_WAIT2 tells of it, if nothing that is recorded had come by then. Of a FIN that did
 * not come it is asked whether it had left: what was sent again afterwards may have come
 * before its copy. (Two hosts' times are not to be compared for that.)
 */
bool tcphs_clue_acked_before(const struct tcphs_connection *c, unsigned int active,
			     const struct tcphs_step *second)
{
	const struct tcphs_stay *stay = tcphs_connection_stay(&c->side[active],
							      TCPHS_FIN_WAIT2);
	uint64_t came = second->received ? second->received : second->ts;
	bool told = c->all || !stay || !stay->ts || (!second->received && c->hosts);
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (!tcphs_clue_acknowledges(step, !active, c->side[active].fin))
			continue;
		if (!(step->segment.flags & TCPHS_FIN) &&
		    left_before(step, second, c->side[!active].fin))
			return true;
		if (step->received && stay && step->received <= stay->ts)
			told = true;
	}
	return !told && stay->ts < came;
}
