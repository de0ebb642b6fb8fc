// SPDX-License-Identifier: GPL-2.0
/* Which segments did not come through, and which ones no socket of their side sent. */
#include "names.h"
#include "number.h"
#include "options.h"
#include "passage.h"

/*
 * Sent from the side's own address, and not by its socket: a raw socket forged
 * it. Where a socket lives, the kernel sends nothing without it but a RST, of
 * which tcp_send_reset tells first.
 */
static bool is_forged(const struct tcphs_side *s, const struct tcphs_step *step,
		      const struct tcphs_context *x)
{
	uint32_t missing = s->host ? s->host->missing : x->missing;
	bool rst = step->segment.flags & TCPHS_RST;

	if (step->kind != TCPHS_STEP_SEGMENT || !step->sent || !s->socket ||
	    !(step->segment.mark & TCPHS_SEG_NO_SOCKET))
		return false;
	switch (tcphs_connection_state(s, step->sent)) {
	case TCPHS_ESTABLISHED:
	case TCPHS_FIN_WAIT1:
	case TCPHS_CLOSE_WAIT:
	case TCPHS_CLOSING:
	case TCPHS_LAST_ACK:
		if (rst && missing & TCPHS_MISSING_SEND_RESET)
			return false;
		return !rst || !s->rst_sent.known || s->rst_sent.ts > step->sent;
	case TCPHS_SYN_SENT:
	case TCPHS_FIN_WAIT2:
		/* A mini-socket's RST has nothing to tell it. */
		return !rst;
	}
	return false;
}

void tcphs_passage_find_forged(struct tcphs_connection *c,
			       const struct tcphs_context *x)
{
	size_t i;

	if (c->whole != TCPHS_WHOLE_COMPLETE)
		return;
	for (i = 0; i < c->nsteps; i++)
		c->steps[i].foreign = is_forged(&c->side[c->steps[i].from],
						&c->steps[i], x);
}

/* The least time that a segment of this side took; UINT64_MAX: none was seen at both ends. */
static uint64_t shortest(const struct tcphs_connection *c, unsigned int from)
{
	uint64_t least = UINT64_MAX;
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && step->from == from && step->sent &&
		    step->received >= step->sent && step->received - step->sent < least)
			least = step->received - step->sent;
	}
	return least;
}

/* When the step may have come to the other side: what that sent before says nothing of it. */
static uint64_t earliest(const struct tcphs_connection *c, const struct tcphs_step *step)
{
	uint64_t least = shortest(c, step->from);

	if (least == UINT64_MAX)
		least = shortest(c, !step->from);
	return step->sent + (least == UINT64_MAX ? TCPHS_UNDER_WAY : least);
}

/* The other side answered what this ACK acknowledges as if it had not come. */
static bool missed(const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *step = &c->steps[i];
	uint64_t from = 0;
	size_t k;

	if (!(step->segment.flags & TCPHS_ACK))
		return false;
	for (k = i + 1; k < c->nsteps; k++) {
		const struct tcphs_step *later = &c->steps[k];
		const struct tcphs_segment *s = &later->segment;

		if (later->kind != TCPHS_STEP_SEGMENT || later->from == step->from ||
		    !later->retransmit || !(s->flags & (TCPHS_SYN | TCPHS_FIN)) ||
		    tcphs_number_before(step->segment.ack, s->seq + s->len + 1))
			continue;
		if (!from)
			from = earliest(c, step);
		if (later->sent >= from)
			return true;
	}
	return false;
}

/* Its host's recording has segments. */
static bool tells_segments(const struct tcphs_side *s)
{
	return !s->host || s->host->segments != TCPHS_SEGMENTS_NONE;
}

/*
 * Recordings of several hosts begin and end at different times: what the other
 * one saw nothing of counts only while it watched.
 */
static bool was_watched(const struct tcphs_connection *c, const struct tcphs_step *step)
{
	unsigned int other = step->sent ? !step->from : step->from;
	const struct tcphs_host *host = c->side[other].host;
	uint64_t error = c->clock_error == UINT64_MAX ? 0 : c->clock_error;

	return !c->hosts || !host ||
	       (step->ts >= host->begun + error && step->ts + error <= host->last);
}

/* When the last record came from where the segment should have come to. */
static uint64_t last(const struct tcphs_connection *c, const struct tcphs_step *step,
		     const struct tcphs_context *x)
{
	const struct tcphs_host *host = c->side[!step->from].host;

	return c->hosts && host ? host->last : x->last;
}

void tcphs_passage_find_lost(struct tcphs_connection *c, const struct tcphs_context *x)
{
	size_t i;

	if (!c->side[0].seen || !c->side[1].seen || c->whole == TCPHS_WHOLE_LOSSY)
		return;
	if (c->hosts && (!tells_segments(&c->side[0]) || !tells_segments(&c->side[1])))
		return;
	for (i = 0; i < c->nsteps; i++) {
		struct tcphs_step *step = &c->steps[i];
		bool marked;

		if (step->kind != TCPHS_STEP_SEGMENT || step->foreign ||
		    (step->sent && step->received))
			continue;
		marked = c->all ||
			 step->segment.flags & (TCPHS_SYN | TCPHS_FIN | TCPHS_RST);
		if (!was_watched(c, step))
			continue;
		if (step->sent)
			step->lost = marked ? step->sent + TCPHS_UNDER_WAY < last(c, step, x) ||
					      missed(c, i) : missed(c, i);
		else if (marked && !c->itself)
			step->foreign = c->whole == TCPHS_WHOLE_COMPLETE;
	}
	/* A copy that came proves that an earlier one that did not is gone. */
	for (i = 0; i < c->nsteps; i++) {
		struct tcphs_step *step = &c->steps[i];
		size_t k;

		if (step->kind != TCPHS_STEP_SEGMENT || !step->sent ||
		    step->received || step->lost ||
		    !(step->segment.flags & (TCPHS_SYN | TCPHS_FIN)))
			continue;
		for (k = i + 1; k < c->nsteps && !step->lost; k++)
			step->lost = c->steps[k].kind == TCPHS_STEP_SEGMENT &&
				     c->steps[k].from == step->from &&
				     c->steps[k].received &&
				     c->steps[k].segment.flags & (TCPHS_SYN | TCPHS_FIN) &&
				     c->steps[k].segment.seq == step->segment.seq;
	}
}

bool tcphs_passage_is_known(const struct tcphs_connection *c, const struct tcphs_step *step)
{
	struct tcphs_options options;

	if (c->whole == TCPHS_WHOLE_COMPLETE || step->lost)
		return true;
	if (c->whole == TCPHS_WHOLE_PARTIAL || !step->sent)
		return step->received;
	/* It may be a copy that came, whose sending is missing: its timestamp differs. */
	tcphs_options_decode(&step->segment, &options);
	return step->received && step->alike && options.has_timestamps;
}
