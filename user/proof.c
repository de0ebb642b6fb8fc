// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "clue.h"
#include "names.h"
#include "proof.h"

/* It was in `state`, not later than `ts`; or it has no socket here. */
static bool all_before(const struct tcphs_side *s, unsigned int state, uint64_t ts)
{
	const struct tcphs_stay *stay = tcphs_connection_stay(s, state);

	return !s->socket || (stay && stay->ts && stay->ts <= ts);
}

/* From one state straight to the other. */
static bool went(const struct tcphs_side *s, unsigned int from, unsigned int to)
{
	size_t i;

	for (i = 1; i < s->nstates; i++)
		if (s->states[i - 1].state == from && s->states[i].state == to)
			return true;
	return false;
}

/* It was a request, and so had no SYN cookie and sent no SYN of its own. */
static bool went_by_request(const struct tcphs_side *s)
{
	size_t i;

	for (i = 1; i < s->nstates; i++)
		if (s->states[i].via == TCPHS_VIA_REQUEST)
			return true;
	return false;
}

bool tcphs_proof_open(const struct tcphs_connection *c, const struct tcphs_opening *o,
		      enum tcphs_open_rule rule)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];

	if ((client->socket || server->socket) &&
	    all_before(client, TCPHS_ESTABLISHED, c->intact) &&
	    all_before(server, TCPHS_ESTABLISHED, c->intact))
		return true;
	switch (rule) {
	case TCPHS_RULE_OPEN_BEFORE:
	case TCPHS_RULE_OPEN_LOST:
	case TCPHS_RULE_OPEN_CROSSED:
	case TCPHS_RULE_OPEN_COOKIE:
	case TCPHS_RULE_OPEN_SYN_DATA:
	case TCPHS_RULE_OPEN_UNKNOWN:
		return true;
	case TCPHS_RULE_OPEN_ESTABLISHED:
		/* No cookie, not crossed ... */
		if (server->seen ? !went_by_request(server) :
				   !went(client, TCPHS_SYN_SENT, TCPHS_ESTABLISHED))
			return false;
		/* ... and no data was taken from the SYN. */
		if (!c->segments || (o->syn && !o->syn->segment.len))
			return true;
		return o->synack && client->isn_known &&
		       o->synack->segment.ack == client->isn + 1;
	case TCPHS_RULE_OPEN_REFUSED:
		/* RFC 9293, 3.10.7.1: CLOSED answers a SYN with number 0. */
		return (client->fate.known && client->fate.error == ECONNREFUSED) ||
		       (o->rst && o->rst->kind == TCPHS_STEP_SEGMENT &&
			!o->rst->segment.seq && o->rst->segment.flags & TCPHS_ACK);
	case TCPHS_RULE_OPEN_RESET:
		return tcphs_clue_died_opening(client->socket ? client : server);
	case TCPHS_RULE_OPEN_GAVE_UP:
		return tcphs_clue_died_opening(client) &&
		       client->fate.error == ETIMEDOUT;
	case TCPHS_RULE_OPEN_RESTORED:
	case TCPHS_RULE_OPEN_NO_SYN:
	case TCPHS_RULE_OPEN_HALF:
		break;
	}
	return false;
}

/* It is told by whom it was sent; where that end has no records, by who got it. */
static bool reset_proven(const struct tcphs_connection *c, unsigned int by)
{
	return c->side[by].rst_sent.known ||
	       (!c->side[by].seen && c->side[!by].rst_got.known);
}

bool tcphs_proof_close(const struct tcphs_connection *c, enum tcphs_close_rule rule)
{
	unsigned int active = tcphs_clue_first_to_close(c);
	const struct tcphs_step *second = tcphs_clue_first(c, !active, TCPHS_FIN,
							   TCPHS_FIN);

	switch (rule) {
	case TCPHS_RULE_CLOSE_NEVER:
	case TCPHS_RULE_CLOSE_NOT_YET:
	case TCPHS_RULE_CLOSE_UNKNOWN:
		return true;
	case TCPHS_RULE_CLOSE_CROSSED:
	case TCPHS_RULE_CLOSE_HALF:
		/* What a RST did that is here is not known, if it did anything. */
		return !tcphs_clue_first_rst(c) &&
		       (rule != TCPHS_RULE_CLOSE_HALF || c->side[!active].half_known);
	case TCPHS_RULE_CLOSE_GAVE_UP:
		return tcphs_clue_timed_out(&c->side[0]) ||
		       tcphs_clue_timed_out(&c->side[1]);
	case TCPHS_RULE_CLOSE_CLIENT_RST:
		return reset_proven(c, TCPHS_CLIENT);
	case TCPHS_RULE_CLOSE_SERVER_RST:
		return reset_proven(c, TCPHS_SERVER);
	case TCPHS_RULE_CLOSE_BOTH:
		/* The second FIN waited, no data came meanwhile, and it was taken. */
		return (!c->side[active].socket ||
			tcphs_clue_was(&c->side[active], TCPHS_TIME_WAIT)) &&
		       !tcphs_clue_first_rst(c) && !c->side[0].fate.error &&
		       !c->side[1].fate.error && c->side[!active].half_known &&
		       c->half_bytes_known && second &&
		       tcphs_clue_acked_before(c, active, second);
	case TCPHS_RULE_CLOSE_ONE_SEGMENT:
	case TCPHS_RULE_CLOSE_NO_FIN:
		break;
	}
	return false;
}
