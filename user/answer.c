// SPDX-License-Identifier: GPL-2.0
#include "answer.h"
#include "listener.h"
#include "names.h"

#define AT_ONCE 10000000	/* ns */

enum { LOOK_BACK = 64 };	/* steps; what answers what is not farther */

bool tcphs_answer_is_probe(const struct tcphs_connection *c, const struct tcphs_step *step)
{
	const struct tcphs_segment *g = &step->segment;
	const struct tcphs_side *side = &c->side[step->from];

	return g->mark & TCPHS_SEG_PROBE ||
	       (side->isn_known && g->seq == side->isn && !g->len &&
		(g->flags & (TCPHS_SYN | TCPHS_FIN | TCPHS_RST | TCPHS_ACK)) == TCPHS_ACK);
}

const struct tcphs_step *tcphs_answer_asked(const struct tcphs_connection *c, size_t i)
{
	size_t first = i > LOOK_BACK ? i - LOOK_BACK : 0;
	unsigned int from = c->steps[i].from;

	while (i-- > first)
		if (c->steps[i].kind == TCPHS_STEP_SEGMENT && c->steps[i].from != from)
			return &c->steps[i];
	return NULL;
}

bool tcphs_answer_is_window_probe(const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *last = tcphs_answer_asked(c, i);

	return c->all && last && !last->segment.win &&
	       (last->segment.flags & (TCPHS_SYN | TCPHS_RST | TCPHS_ACK)) == TCPHS_ACK;
}

bool tcphs_answer_at_once(const struct tcphs_step *asked, const struct tcphs_step *step)
{
	uint64_t left = tcphs_connection_left(step);

	return asked->received && asked->received <= left &&
	       left - asked->received < AT_ONCE;
}

/* The socket was open when it sent this. */
static bool lives_on(const struct tcphs_step *step)
{
	switch (step->segment.state) {
	case TCPHS_STATE_UNKNOWN:
	case TCPHS_SYN_SENT:
	case TCPHS_SYN_RECV:
	case TCPHS_LISTEN:
	case TCPHS_CLOSE:
		return false;
	}
	return true;
}

bool tcphs_answer_is_challenge(const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *step = &c->steps[i], *asked;

	if ((step->segment.flags & (TCPHS_FIN | TCPHS_SYN | TCPHS_RST | TCPHS_ACK)) !=
	    TCPHS_ACK || step->segment.len)
		return false;
	/* What it does answer may be lost. */
	if (c->whole == TCPHS_WHOLE_LOSSY)
		return false;
	asked = tcphs_answer_asked(c, i);
	return asked && tcphs_answer_at_once(asked, step) &&
	       (asked->segment.flags & TCPHS_RST ||
		((asked->segment.flags & (TCPHS_SYN | TCPHS_ACK)) == TCPHS_SYN &&
		 lives_on(step)));
}

bool tcphs_answer_overflows(const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *step = &c->steps[i];
	const struct tcphs_side *side = &c->side[!step->from];
	unsigned int state = tcphs_connection_state(side, step->received);
	bool request = state != TCPHS_STATE_UNKNOWN && state != TCPHS_LISTEN &&
		       state != TCPHS_CLOSE;

	return step->kind == TCPHS_STEP_SEGMENT &&
	       tcphs_listener_overflows(&step->segment, request, side->cookie);
}

bool tcphs_answer_aborts(const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *next = i + 1 < c->nsteps ? &c->steps[i + 1] : NULL;

	return next && next->kind == TCPHS_STEP_SEGMENT && next->from != c->steps[i].from &&
	       next->segment.flags & TCPHS_RST && tcphs_answer_at_once(&c->steps[i], next);
}
