// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "clue.h"
#include "names.h"
#include "number.h"

enum { REASON_TIMEOUT = 15 };	/* enum sk_rst_reason: SK_RST_REASON_TCP_TIMEOUT */

/* How long, in ns, a RST may wait in the backlog of a socket that a process holds. */
#define BACKLOG 100000000ULL

enum { LOOK_BACK = 64 };	/* steps */

#define RST_LEAVES 1000000000ULL	/* ns from when the socket says so, at the most */

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

bool tcphs_clue_is_rst(const struct tcphs_step *step)
{
	return step->kind == TCPHS_STEP_RESET ||
	       (step->kind == TCPHS_STEP_SEGMENT && step->segment.flags & TCPHS_RST);
}

/* When its socket was gone; 0: not, or nobody saw when. */
static uint64_t gone_ts(const struct tcphs_side *s)
{
	const struct tcphs_stay *last = s->nstates > 1 ? &s->states[s->nstates - 1] : NULL;

	return last && last->state == TCPHS_CLOSE ? last->ts : 0;
}

/* At one time, but for a backlog: a socket went with a RST. */
static bool near(uint64_t a, uint64_t b)
{
	return a && (a < b ? b - a : a - b) <= BACKLOG;
}

/* The socket of `side` sent something after `ts`, and it is not far from the end. */
static bool spoke_after(const struct tcphs_connection *c, unsigned int side, uint64_t ts)
{
	size_t first = c->nsteps > LOOK_BACK ? c->nsteps - LOOK_BACK : 0, i;

	for (i = c->nsteps; i-- > first && c->steps[i].ts > ts;) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && step->from == side &&
		    step->sent > ts && !step->foreign && !tcphs_clue_is_rst(step) &&
		    !(step->segment.mark & TCPHS_SEG_NO_SOCKET))
			return true;
	}
	return false;
}

/* In SYN_SENT a RST answers an ACK of another time, and the socket goes on. */
static bool left_in_syn_sent(const struct tcphs_connection *c,
			     const struct tcphs_step *step)
{
	return step->sent && !step->foreign &&
	       tcphs_connection_state(&c->side[step->from], step->sent) == TCPHS_SYN_SENT;
}

bool tcphs_clue_ends_nothing(const struct tcphs_connection *c,
			     const struct tcphs_step *step)
{
	const struct tcphs_side *hit = &c->side[!step->from];
	uint64_t came = step->received ? step->received : step->ts;
	uint64_t gone = gone_ts(hit);

	if (!tcphs_clue_is_rst(step) || c->whole == TCPHS_WHOLE_LOSSY || near(gone, came))
		return false;
	if (step->foreign || left_in_syn_sent(c, step))
		return true;
	if (near(gone_ts(&c->side[step->from]), step->ts))
		return false;
	return gone > came || (!gone && hit->socket && !hit->closed &&
			       spoke_after(c, !step->from, came + BACKLOG));
}

bool tcphs_clue_is_stale(const struct tcphs_connection *c, const struct tcphs_step *step)
{
	return step->kind == TCPHS_STEP_SEGMENT && step->received && !step->foreign &&
	       (step->segment.flags & (TCPHS_SYN | TCPHS_RST | TCPHS_ACK)) == TCPHS_ACK &&
	       tcphs_connection_state(&c->side[!step->from], step->received) ==
		       TCPHS_SYN_SENT;
}

bool tcphs_clue_reset_itself(const struct tcphs_connection *c, unsigned int side)
{
	const struct tcphs_side *s = &c->side[side];
	size_t i;

	if (!s->rst_got.known)
		return false;
	if (s->rst_sent.known && s->rst_sent.ts >= s->rst_got.ts)
		return true;
	if (!c->segments)
		return false;
	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && step->from != side &&
		    step->segment.flags & TCPHS_RST &&
		    (step->received ? step->received : step->ts) <=
			    s->rst_got.ts)
			return false;
	}
	return c->whole != TCPHS_WHOLE_LOSSY;
}

bool tcphs_clue_is_told(const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *step = &c->steps[i];
	const struct tcphs_rst *rst = &c->side[step->from].rst_sent;

	/* It leaves at once, but a host may not let a virtual CPU run in between. */
	if (!rst->known || step->ts > rst->ts + RST_LEAVES || left_in_syn_sent(c, step))
		return false;
	/* The first RST of its side: what comes afterwards is answered by others. */
	while (i-- > 0)
		if (tcphs_clue_is_rst(&c->steps[i]) && c->steps[i].from == step->from &&
		    !c->steps[i].foreign && !left_in_syn_sent(c, &c->steps[i]))
			return false;
	return true;
}

bool tcphs_clue_no_socket(const struct tcphs_connection *c, const struct tcphs_step *step)
{
	if (step->kind != TCPHS_STEP_SEGMENT || !step->sent || step->foreign ||
	    !(step->segment.mark & TCPHS_SEG_NO_SOCKET))
		return false;
	switch (tcphs_connection_state(&c->side[step->from], step->sent)) {
	case TCPHS_SYN_SENT:
	case TCPHS_SYN_RECV:
		return false;
	}
	return true;
}

const struct tcphs_step *tcphs_clue_first_rst(const struct tcphs_connection *c)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (tcphs_clue_is_rst(step) && !tcphs_clue_ends_nothing(c, step))
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

bool tcphs_clue_acknowledges(const struct tcphs_connection *c,
			     const struct tcphs_step *step, unsigned int from,
			     uint32_t fin)
{
	return step->kind == TCPHS_STEP_SEGMENT && step->from == from && !step->foreign &&
	       (step->segment.flags & (TCPHS_ACK | TCPHS_RST)) == TCPHS_ACK &&
	       !tcphs_number_before(step->segment.ack, fin + 1) &&
	       !tcphs_clue_is_stale(c, step);
}

const struct tcphs_step *tcphs_clue_first_ack(const struct tcphs_connection *c,
					      unsigned int from, uint32_t fin)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++)
		if (tcphs_clue_acknowledges(c, &c->steps[i], from, fin))
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

		if (!tcphs_clue_acknowledges(c, step, !active, c->side[active].fin))
			continue;
		if (!(step->segment.flags & TCPHS_FIN) &&
		    left_before(step, second, c->side[!active].fin))
			return true;
		if (step->received && stay && step->received <= stay->ts)
			told = true;
	}
	return !told && stay->ts < came;
}
