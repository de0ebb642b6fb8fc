// SPDX-License-Identifier: GPL-2.0
/*
 * The name of what happened. Each rule is written once, in rule.c, and asked once,
 * with its reason. Where the records do not tell, the verdict is "unseen", not the
 * likeliest.
 */
#include <errno.h>

#include "clue.h"
#include "names.h"
#include "number.h"
#include "proof.h"
#include "rule.h"
#include "verdict.h"

const char *tcphs_verdict_open(enum tcphs_open open)
{
	static const char *const names[] = {
		[TCPHS_OPEN_THREE_WAY] = "three-way",
		[TCPHS_OPEN_SIMULTANEOUS] = "simultaneous",
		[TCPHS_OPEN_FAST_OPEN] = "fast-open",
		[TCPHS_OPEN_SYN_COOKIE] = "syn-cookie",
		[TCPHS_OPEN_REFUSED] = "refused",
		[TCPHS_OPEN_TIMED_OUT] = "timed-out",
		[TCPHS_OPEN_RESET] = "reset",
		[TCPHS_OPEN_HALF_OPEN] = "half-open",
		[TCPHS_OPEN_UNSEEN] = "unseen",
	};

	return names[open];
}

const char *tcphs_verdict_close(enum tcphs_close close)
{
	static const char *const names[] = {
		[TCPHS_CLOSE_FOUR_WAY] = "four-way",
		[TCPHS_CLOSE_THREE_SEGMENT] = "three-segment",
		[TCPHS_CLOSE_HALF_CLOSE] = "half-close",
		[TCPHS_CLOSE_SIMULTANEOUS] = "simultaneous",
		[TCPHS_CLOSE_RESET_BY_CLIENT] = "reset-by-client",
		[TCPHS_CLOSE_RESET_BY_SERVER] = "reset-by-server",
		[TCPHS_CLOSE_TIMED_OUT] = "timed-out",
		[TCPHS_CLOSE_OPEN] = "open",
		[TCPHS_CLOSE_UNSEEN] = "unseen",
	};

	return names[close];
}

const char *tcphs_verdict_whole(enum tcphs_whole whole)
{
	static const char *const names[] = {
		[TCPHS_WHOLE_COMPLETE] = "complete",
		[TCPHS_WHOLE_PARTIAL] = "partial",
		[TCPHS_WHOLE_LOSSY] = "lossy",
	};

	return names[whole];
}

/* ---- open ----------------------------------------------------------------- */

/* The socket of this side is gone, TIME_WAIT included. */
static bool gone(const struct tcphs_side *s)
{
	return s->nstates > 1 && s->states[s->nstates - 1].state == TCPHS_CLOSE;
}

/*
 * close() of a socket that still connects, or ss -K. A time-out may come about in a
 * process, too, that holds the socket when its timer expires: it leaves its error.
 */
static bool abandoned(const struct tcphs_fate *fate)
{
	return fate->known && fate->process && (!fate->error || fate->error == ECONNABORTED);
}

/* Data in the SYN was taken: RFC 7413. */
static bool took_syn_data(const struct tcphs_connection *c,
			  const struct tcphs_step *syn, const struct tcphs_step *synack)
{
	return syn && synack && syn->segment.len &&
	       tcphs_number_before(syn->segment.seq + 1, synack->segment.ack) &&
	       !c->side[TCPHS_SERVER].cookie;
}

static enum tcphs_open_rule find_open(const struct tcphs_connection *c,
				      const struct tcphs_opening *o)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];
	const struct tcphs_step *syn = o->syn, *synack = o->synack, *rst = o->rst;
	/* A client is through when it is ESTABLISHED, and so is a server. */
	bool done = client->socket ? tcphs_clue_was(client, TCPHS_ESTABLISHED) :
				     tcphs_clue_was(server, TCPHS_ESTABLISHED);

	/* The beginning was not seen: whatever followed, it is not known how. */
	if (c->whole == TCPHS_WHOLE_PARTIAL)
		return TCPHS_RULE_OPEN_BEFORE;
	if (c->whole == TCPHS_WHOLE_LOSSY &&
	    !(syn || tcphs_clue_was(client, TCPHS_SYN_SENT) ||
	      tcphs_clue_was(server, TCPHS_SYN_RECV)))
		return TCPHS_RULE_OPEN_LOST;

	/* Both sent a SYN: a client went through SYN_RECV (RFC 9293, 3.5). */
	if (done && tcphs_clue_was(client, TCPHS_SYN_SENT) &&
	    tcphs_clue_was(client, TCPHS_SYN_RECV))
		return TCPHS_RULE_OPEN_CROSSED;
	/* The server kept no state between SYN and ACK. */
	if (server->cookie && (done || tcphs_clue_was(server, TCPHS_ESTABLISHED)))
		return TCPHS_RULE_OPEN_COOKIE;
	/*
	 * The server took data from the SYN. It may close, and leave SYN_RECV
	 * for FIN_WAIT1, before the third segment comes.
	 */
	if (took_syn_data(c, syn, synack) &&
	    (done || tcphs_clue_was(server, TCPHS_FIN_WAIT1) ||
	     tcphs_clue_was(server, TCPHS_CLOSE_WAIT)))
		return TCPHS_RULE_OPEN_SYN_DATA;
	/* tcp_connect() of Linux sends nothing then: the other end is long open. */
	if (done && !syn && !synack && c->segments && client->socket &&
	    c->whole == TCPHS_WHOLE_COMPLETE)
		return TCPHS_RULE_OPEN_RESTORED;
	if (done)
		return TCPHS_RULE_OPEN_ESTABLISHED;

	/* A RST answered the SYN itself; or the socket says so (ICMP, no segments). */
	if (!synack && ((syn && rst && rst->from == TCPHS_SERVER) ||
			(client->fate.known && client->fate.error == ECONNREFUSED)))
		return TCPHS_RULE_OPEN_REFUSED;
	/* A RST came later in the handshake, from whichever side. */
	if (rst || client->rst_sent.known || server->rst_got.known)
		return TCPHS_RULE_OPEN_RESET;
	/* No SYN ever left: connect() itself failed. */
	if (!syn && c->segments && client->socket)
		return TCPHS_RULE_OPEN_NO_SYN;
	/* The client gave up, and nobody had told it to. */
	if (client->socket && gone(client) && !abandoned(&client->fate))
		return TCPHS_RULE_OPEN_GAVE_UP;
	/* The SYN came or went, and the handshake got no further yet. */
	if (syn || tcphs_clue_was(server, TCPHS_SYN_RECV) ||
	    tcphs_clue_was(client, TCPHS_SYN_SENT))
		return TCPHS_RULE_OPEN_HALF;
	return TCPHS_RULE_OPEN_UNKNOWN;
}

/* ---- close ---------------------------------------------------------------- */

/*
 * The time-out of a keep-alive, of TCP_USER_TIMEOUT or of the retransmissions:
 * the kernel gave up, and may have sent a RST to say so.
 */
static bool gave_up(const struct tcphs_side *s)
{
	return tcphs_clue_timed_out(s) ||
	       (s->fate.known && s->fate.timeouts && !s->fate.process &&
		!s->rst_got.known && !s->rst_sent.known);
}

/*
 * Who reset it. A RST after both FINs were acknowledged resets nothing: no
 * socket is left but TIME_WAIT, and that has no such record.
 */
static bool find_reset(const struct tcphs_connection *c, unsigned int *sender)
{
	const struct tcphs_step *rst = tcphs_clue_first_rst(c);
	uint64_t at = UINT64_MAX;
	unsigned int side, by = 0;
	bool found = false;

	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		if (s->rst_sent.known && s->rst_sent.ts < at) {
			at = s->rst_sent.ts;
			by = side;
			found = true;
		}
		if (s->rst_got.known && s->rst_got.ts < at) {
			at = s->rst_got.ts;
			by = tcphs_clue_reset_itself(c, side) ? side : !side;
			found = true;
		}
	}
	/* Only the segment tells: the sender has no socket, or no such hook. */
	if (rst && rst->ts < at) {
		const struct tcphs_side *hit = &c->side[!rst->from];

		if (found || !hit->socket || (hit->fate.known &&
					      hit->fate.old != TCPHS_LAST_ACK)) {
			by = rst->from;
			found = true;
		}
	}
	*sender = by;
	return found;
}

/*
 * `p` sent the numbers from `from` up to `next` after the other side's FIN. They are modulo
 * 2^32; together with those before they are all that it sent, and so what it counted beyond
 * that was sent before or after: which, is known where one of both has no bytes else.
 */
static void set_half(struct tcphs_connection *c, const struct tcphs_side *p, uint32_t from,
		     uint32_t next)
{
	uint32_t late = next - from, early = from - p->isn - 1;
	uint64_t sum = (uint64_t)early + late;
	bool counted = p->bytes_known && p->isn_known && (uint32_t)p->bytes == (uint32_t)sum;

	/* Backwards: its FIN was before, or a number of another time was met. */
	if (late >> 31 && (!counted || p->bytes < sum || late == UINT32_MAX))
		return;
	c->half_bytes_known = true;
	c->half_bytes = late;
	if (!counted || p->bytes <= sum || !late)
		return;
	if (early)
		c->half_bytes_known = false;
	else
		c->half_bytes = p->bytes;
}

/*
 * Payload that the second to close sent after the first FIN had reached it. Its
 * own number at that moment is the best witness, then its acknowledgement's,
 * then what the first one had received by then.
 */
static void find_half(struct tcphs_connection *c, unsigned int active)
{
	const struct tcphs_side *a = &c->side[active];
	const struct tcphs_side *p = &c->side[!active];
	const struct tcphs_step *ack;
	uint32_t from, next;

	/* What was not the first to acknowledge it may be all that is here. */
	if (!a->fin_known || (c->whole != TCPHS_WHOLE_COMPLETE && !p->half_known))
		return;
	ack = tcphs_clue_first_ack(c, !active, a->fin);
	if (p->half_known)
		from = p->half_sent;
	else if (ack)
		from = ack->segment.seq;
	else if (a->half_got_known)
		from = a->half_got;
	else
		return;
	if (p->fin_known)
		next = p->fin;
	/* Not closed yet: up to the last number that is known. */
	else if (p->bytes_known && p->isn_known)
		next = p->isn + 1 + (uint32_t)p->bytes;
	else
		return;
	set_half(c, p, from, next);
}

static enum tcphs_close_rule find_close(struct tcphs_connection *c)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];
	unsigned int active, side, by;
	const struct tcphs_step *second;
	bool live = false;

	switch (c->open) {
	case TCPHS_OPEN_REFUSED:
	case TCPHS_OPEN_TIMED_OUT:
	case TCPHS_OPEN_RESET:
	case TCPHS_OPEN_HALF_OPEN:
		return TCPHS_RULE_CLOSE_NEVER;
	case TCPHS_OPEN_UNSEEN:
		/* How, is not known; that it came to nothing, is. */
		if (tcphs_clue_died_opening(client->socket ? client : server))
			return TCPHS_RULE_CLOSE_NEVER;
		break;
	default:
		break;
	}
	/* A time-out may send a RST: it is the reason, the RST its messenger. */
	if (gave_up(client) || gave_up(server))
		return TCPHS_RULE_CLOSE_GAVE_UP;
	if (find_reset(c, &by))
		return by == TCPHS_CLIENT ? TCPHS_RULE_CLOSE_CLIENT_RST :
					    TCPHS_RULE_CLOSE_SERVER_RST;

	active = tcphs_clue_first_to_close(c);
	find_half(c, active);
	/* Each sent its FIN before it had the other's (RFC 9293, 3.6). */
	if (tcphs_clue_was(client, TCPHS_CLOSING) || tcphs_clue_was(server, TCPHS_CLOSING) ||
	    (tcphs_clue_was(client, TCPHS_FIN_WAIT1) &&
	     tcphs_clue_was(server, TCPHS_FIN_WAIT1)))
		return TCPHS_RULE_CLOSE_CROSSED;
	if (c->half_bytes)
		return TCPHS_RULE_CLOSE_HALF;
	if (client->fin_known && server->fin_known) {
		second = tcphs_clue_first(c, !active, TCPHS_FIN, TCPHS_FIN);
		if (second &&
		    tcphs_clue_acknowledges(c, second, !active, c->side[active].fin) &&
		    !tcphs_clue_acked_before(c, active, second))
			return TCPHS_RULE_CLOSE_ONE_SEGMENT;
		return TCPHS_RULE_CLOSE_BOTH;
	}
	/*
	 * One FIN only, and the socket that waited for the other one is gone: it
	 * waited in vain (tcp_fin_timeout).
	 */
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		if (s->socket && !s->closed && !gone(s) &&
		    !tcphs_clue_was(s, TCPHS_TIME_WAIT))
			live = true;
		if (gone(s) && s->nstates > 2 &&
		    s->states[s->nstates - 2].state == TCPHS_FIN_WAIT2)
			return TCPHS_RULE_CLOSE_NO_FIN;
	}
	/* Not gone, as far as was seen; and all was seen of it to the end. */
	if (live && !c->doubtful)
		return TCPHS_RULE_CLOSE_NOT_YET;
	return TCPHS_RULE_CLOSE_UNKNOWN;
}

void tcphs_verdict_find(struct tcphs_connection *c)
{
	struct tcphs_opening segments;
	enum tcphs_open_rule open;
	enum tcphs_close_rule close;

	tcphs_clue_opening(c, &segments);
	open = find_open(c, &segments);
	if (c->whole == TCPHS_WHOLE_LOSSY && !tcphs_proof_open(c, &segments, open))
		open = TCPHS_RULE_OPEN_UNKNOWN;
	c->open_rule = tcphs_rule_open(open, &c->open);
	close = find_close(c);
	if (c->whole == TCPHS_WHOLE_LOSSY && !tcphs_proof_close(c, close))
		close = TCPHS_RULE_CLOSE_UNKNOWN;
	c->close_rule = tcphs_rule_close(close, &c->close);
}
