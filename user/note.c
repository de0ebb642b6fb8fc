// SPDX-License-Identifier: GPL-2.0
/* A few words on a step: copies, losses, resets, TIME_WAIT, cookies. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clue.h"
#include "memory.h"
#include "names.h"
#include "note.h"
#include "number.h"
#include "options.h"

enum { LOOK_BACK = 64 };	/* steps; what answers what is not farther */

/* Add to the step's note, with "; " between. */
static void add(struct tcphs_step *step, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct tcphs_step *step, const char *format, ...)
{
	char text[256];
	size_t used = 0;
	va_list args;

	if (step->note)
		used = snprintf(text, sizeof(text), "%s; ", step->note);
	if (used >= sizeof(text))
		return;
	va_start(args, format);
	vsnprintf(text + used, sizeof(text) - used, format, args);
	va_end(args);
	free(step->note);
	step->note = tcphs_memory_text(text);
}

static bool is_syn(const struct tcphs_step *step)
{
	return step->kind == TCPHS_STEP_SEGMENT && step->segment.flags & TCPHS_SYN;
}

/* The time since the last copy of the same segment; 0: there was none. */
static uint64_t since_copy(const struct tcphs_connection *c, size_t i)
{
	const struct tcphs_step *step = &c->steps[i];

	while (i-- > 0) {
		const struct tcphs_step *p = &c->steps[i];

		if (p->kind == TCPHS_STEP_SEGMENT && p->from == step->from &&
		    p->segment.seq + p->segment.len ==
			    step->segment.seq + step->segment.len &&
		    (p->segment.flags & 7) == (step->segment.flags & 7))
			/* By its sender's clock, as far as that saw both. */
			return p->sent && p->sent < step->sent ? step->sent - p->sent :
								 step->ts - p->ts;
	}
	return 0;
}

static void note_copy(struct tcphs_connection *c, size_t i)
{
	struct tcphs_step *step = &c->steps[i];
	char span[TCPHS_NUMBER_SIZE];
	uint64_t gap = step->retransmit ? since_copy(c, i) : 0;

	if (step->retransmit && gap)
		add(step, "sent again after %s", tcphs_number_span(gap, span));
	else if (step->retransmit)
		add(step, "sent again");
	if (step->lost)
		add(step, "lost on the way");
	if (step->foreign)
		add(step, "not sent by the %s's socket",
		    step->from == TCPHS_CLIENT ? "client" : "server");
}

/* The bytes in the SYN that step i, a SYN,ACK, answers. */
static uint32_t syn_data(const struct tcphs_connection *c, size_t i)
{
	unsigned int from = c->steps[i].from;

	while (i-- > 0) {
		const struct tcphs_step *p = &c->steps[i];

		if (is_syn(p) && p->from != from && !(p->segment.flags & TCPHS_ACK))
			return p->segment.len;
	}
	return 0;
}

/* Did Fast Open save its round trip, or fall back (RFC 7413, 4.2)? */
static void note_syn_data(struct tcphs_connection *c, size_t i)
{
	struct tcphs_step *step = &c->steps[i];
	const struct tcphs_side *peer = &c->side[!step->from];
	uint32_t len = syn_data(c, i), taken = step->segment.ack - peer->isn - 1;

	if (!len || !peer->isn_known || taken > len)
		return;
	if (taken)
		add(step, "takes %" PRIu32 " of the SYN's %" PRIu32 " byte%s", taken, len,
		    tcphs_number_plural(len));
	else
		add(step, "takes none of the SYN's %" PRIu32 " byte%s", len,
		    tcphs_number_plural(len));
}

static void note_syn(struct tcphs_connection *c, size_t i)
{
	struct tcphs_step *step = &c->steps[i];
	const struct tcphs_before *before = &c->side[step->from].before;
	struct tcphs_options o;

	if (step->segment.flags & TCPHS_ACK)
		note_syn_data(c, i);
	tcphs_options_decode(&step->segment, &o);
	if (step->segment.mark & TCPHS_SEG_COOKIE)
		add(step, "its number is a SYN cookie");
	if (o.has_fastopen && !o.cookie_len)
		add(step, "asks for a Fast Open cookie");
	else if (o.has_fastopen)
		add(step, step->segment.flags & TCPHS_ACK ? "gives a Fast Open cookie" :
							    "Fast Open cookie");
	if (before->known && before->iss_known && !step->retransmit)
		add(step, "same ports as before: ISN %" PRIu32 " is %" PRIu32 " higher",
		    step->segment.seq, step->segment.seq - before->iss);
}

/* Why, as far as the socket that sent it knows. */
static void note_rst(struct tcphs_connection *c, size_t i)
{
	struct tcphs_step *step = &c->steps[i];
	const struct tcphs_side *side = &c->side[step->from];
	const struct tcphs_rst *rst = &side->rst_sent;
	const char *name;

	if (!tcphs_clue_is_told(c, i)) {
		if (tcphs_clue_no_socket(c, step))
			add(step, "no socket");
		return;
	}
	name = rst->reason == TCPHS_REASON_UNKNOWN ? NULL :
						     tcphs_names_reason(rst->reason);
	/* Only tcp_abort() leaves this error behind: ss -K, or SOCK_DESTROY. */
	if (side->fate.known && side->fate.error == ECONNABORTED)
		add(step, "ended from outside, as by ss -K");
	else if (rst->fact & TCPHS_FACT_PROCESS && rst->fact & TCPHS_FACT_LINGER)
		add(step, "SO_LINGER 0");
	else if (rst->unread)
		add(step, "%" PRIu32 " byte%s unread", rst->unread,
		    tcphs_number_plural(rst->unread));
	else if (rst->probes)
		add(step, "%u probe%s unanswered", rst->probes,
		    tcphs_number_plural(rst->probes));
	if (rst->error)
		add(step, "%s", tcphs_names_error(rst->error));
	if (name)
		add(step, "%s", name);
}

static bool entered(const struct tcphs_step *step, const struct tcphs_side *s,
		    unsigned int side, unsigned int state)
{
	const struct tcphs_entered *e = &step->entered[side];
	uint32_t i;

	for (i = e->begin; i < e->begin + e->count; i++)
		if (s->states[i].state == state)
			return true;
	return false;
}

/* What came last to the sender of step i before that; NULL: nothing near. */
static const struct tcphs_step *came_last(const struct tcphs_connection *c, size_t i)
{
	size_t first = i > LOOK_BACK ? i - LOOK_BACK : 0, k;
	const struct tcphs_step *step = &c->steps[i], *last = NULL;

	for (k = i; k-- > first;) {
		const struct tcphs_step *p = &c->steps[k];

		if (p->kind == TCPHS_STEP_SEGMENT && p->from != step->from &&
		    p->received && p->received <= step->sent &&
		    (!last || p->received > last->received))
			last = p;
	}
	return last;
}

/*
 * TIME_WAIT answered a FIN that came again: it begins anew (RFC 9293, 3.10.7.4). That FIN
 * came after TIME_WAIT had begun: the first copy of a lost one only begins it.
 */
static void note_restart(struct tcphs_connection *c, size_t i)
{
	struct tcphs_step *step = &c->steps[i];
	const struct tcphs_stay *stay =
		tcphs_connection_stay(&c->side[step->from], TCPHS_TIME_WAIT);
	const struct tcphs_step *asked;

	if (!stay || !step->sent || !(step->segment.mark & TCPHS_SEG_MINI) ||
	    (step->segment.flags & (TCPHS_ACK | TCPHS_RST)) != TCPHS_ACK ||
	    step->segment.state != TCPHS_TIME_WAIT || step->sent <= stay->ts)
		return;
	asked = came_last(c, i);
	if (asked && asked->segment.flags & TCPHS_FIN && asked->received > stay->ts)
		add(step, "TIME_WAIT begins anew");
}

/*
 * What it acknowledges left in these records, and so it came in them, too: at the very
 * beginning a state may come of a segment that is older.
 */
static bool asked_here(const struct tcphs_connection *c, const struct tcphs_step *step,
		       unsigned int side, unsigned int flag)
{
	const struct tcphs_step *asked = tcphs_clue_first(c, side, flag, flag);

	return c->whole == TCPHS_WHOLE_COMPLETE ||
	       (asked && asked->sent && asked->sent < step->ts);
}

static void note_state(struct tcphs_connection *c, struct tcphs_step *step,
		       const struct tcphs_context *x)
{
	char span[TCPHS_NUMBER_SIZE];
	unsigned int side;

	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];
		const struct tcphs_stay *stay = tcphs_connection_stay(s, TCPHS_TIME_WAIT);

		if (!entered(step, s, side, TCPHS_CLOSE) ||
		    (c->itself && side))
			continue;
		if (stay && stay->ts && step->ts > stay->ts) {
			add(step, "TIME_WAIT lasted %s",
			    tcphs_number_span(step->ts - stay->ts, span));
			continue;
		}
		if (step->kind != TCPHS_STEP_STATE || !s->fate.known ||
		    s->fate.old == TCPHS_LAST_ACK)
			continue;
		if (s->fate.error)
			add(step, "%s", tcphs_names_error(s->fate.error));
		else if (s->fate.process)
			add(step, "closed by its process");
	}
	if (step->kind != TCPHS_STEP_STATE || x->segments != TCPHS_SEGMENTS_HANDSHAKE ||
	    c->whole == TCPHS_WHOLE_LOSSY)
		return;
	/* Only an ACK leads here; if it is not told, it had data with it. */
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		if (entered(step, s, side, TCPHS_ESTABLISHED) && step->ts &&
		    c->open == TCPHS_OPEN_UNSEEN && c->whole == TCPHS_WHOLE_COMPLETE)
			add(step, "restored with TCP_REPAIR");
		else if ((entered(step, s, side, TCPHS_ESTABLISHED) && step->ts &&
			  asked_here(c, step, side, TCPHS_SYN)) ||
			 ((entered(step, s, side, TCPHS_FIN_WAIT2) ||
			   (entered(step, s, side, TCPHS_CLOSE) && !s->fate.error &&
			    s->fate.old == TCPHS_LAST_ACK)) &&
			  asked_here(c, step, side, TCPHS_FIN)))
			add(step, "the ACK came with data");
	}
}

/* Probes, their answers, and challenge ACKs (RFC 5961), which look like ACKs. */
static void note_ack(struct tcphs_connection *c, size_t i)
{
	struct tcphs_step *step = &c->steps[i];
	const struct tcphs_step *asked;

	if (tcphs_answer_is_probe(c, step)) {
		add(step, tcphs_answer_is_window_probe(c, i) ? "window probe" :
							       "keep-alive probe");
		return;
	}
	if (step->segment.mark & TCPHS_SEG_ANSWER) {
		asked = tcphs_answer_asked(c, i);
		if (asked && tcphs_answer_is_probe(c, asked))
			add(step, "answers the probe");
	}
	if (tcphs_answer_is_challenge(c, i))
		add(step, "challenge ACK");
}

void tcphs_note_write(struct tcphs_connection *c, const struct tcphs_context *x)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT) {
			note_copy(c, i);
			if (is_syn(step))
				note_syn(c, i);
			else
				note_ack(c, i);
			if (tcphs_answer_overflows(c, i))
				add(step, "accept queue full: %s",
				    tcphs_answer_aborts(c, i) ? "reset" : "dropped");
			note_restart(c, i);
		}
		if (tcphs_clue_is_rst(step))
			note_rst(c, i);
		note_state(c, step, x);
	}
}
