// SPDX-License-Identifier: GPL-2.0
/*
 * The name of what happened. Each rule is written once, with its reason; the
 * first that holds decides. Where the records do not tell, the verdict is
 * "unseen", not the likeliest.
 */
#include <errno.h>

#include "names.h"
#include "number.h"
#include "verdict.h"

enum { REASON_TIMEOUT = 15 };	/* enum sk_rst_reason: SK_RST_REASON_TCP_TIMEOUT */

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

/* ---- what the rules ask --------------------------------------------------- */

static bool was(const struct tcphs_side *s, unsigned int state)
{
	return tcphs_connection_stay(s, state) || (s->nstates && s->states[0].state == state);
}

static bool either_was(const struct tcphs_connection *c, unsigned int state)
{
	return was(&c->side[0], state) || was(&c->side[1], state);
}

/* The socket of this side is gone, TIME_WAIT included. */
static bool gone(const struct tcphs_side *s)
{
	return s->nstates > 1 && s->states[s->nstates - 1].state == TCPHS_CLOSE;
}

/* The first segment from `from` whose bits under `mask` are `flags`. */
static const struct tcphs_step *first(const struct tcphs_connection *c,
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

static const struct tcphs_step *first_rst(const struct tcphs_connection *c)
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

/* ---- open ----------------------------------------------------------------- */

/* Data in the SYN was taken: RFC 7413. */
static bool took_syn_data(const struct tcphs_connection *c,
			  const struct tcphs_step *syn, const struct tcphs_step *synack)
{
	return syn && synack && syn->segment.len &&
	       tcphs_number_before(syn->segment.seq + 1, synack->segment.ack) &&
	       !c->side[TCPHS_SERVER].cookie;
}

static enum tcphs_open find_open(const struct tcphs_connection *c)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];
	const struct tcphs_step *syn = first(c, TCPHS_CLIENT, TCPHS_SYN | TCPHS_ACK,
					     TCPHS_SYN);
	const struct tcphs_step *synack = first(c, TCPHS_SERVER, TCPHS_SYN | TCPHS_ACK,
						TCPHS_SYN | TCPHS_ACK);
	const struct tcphs_step *rst = first_rst(c);
	/* A client is through when it is ESTABLISHED, and so is a server. */
	bool done = client->socket ? was(client, TCPHS_ESTABLISHED) :
				     was(server, TCPHS_ESTABLISHED);

	/* The beginning was not seen: whatever followed, it is not known how. */
	if (c->whole == TCPHS_WHOLE_PARTIAL)
		return TCPHS_OPEN_UNSEEN;
	if (c->whole == TCPHS_WHOLE_LOSSY &&
	    !(syn || was(client, TCPHS_SYN_SENT) || was(server, TCPHS_SYN_RECV)))
		return TCPHS_OPEN_UNSEEN;

	/* Both sent a SYN: a client went through SYN_RECV (RFC 9293, 3.5). */
	if (done && was(client, TCPHS_SYN_SENT) && was(client, TCPHS_SYN_RECV))
		return TCPHS_OPEN_SIMULTANEOUS;
	/* The server kept no state between SYN and ACK. */
	if (server->cookie && (done || was(server, TCPHS_ESTABLISHED)))
		return TCPHS_OPEN_SYN_COOKIE;
	/*
	 * The server took data from the SYN. It may close, and leave SYN_RECV
	 * for FIN_WAIT1, before the third segment comes.
	 */
	if (took_syn_data(c, syn, synack) &&
	    (done || was(server, TCPHS_FIN_WAIT1) || was(server, TCPHS_CLOSE_WAIT)))
		return TCPHS_OPEN_FAST_OPEN;
	if (done)
		return TCPHS_OPEN_THREE_WAY;

	/* A RST answered the SYN itself; or the socket says so (ICMP, no segments). */
	if (!synack && ((syn && rst && rst->from == TCPHS_SERVER) ||
			(client->fate.known && client->fate.error == ECONNREFUSED)))
		return TCPHS_OPEN_REFUSED;
	/* A RST came later in the handshake, from whichever side. */
	if (rst || client->rst_sent.known || server->rst_got.known)
		return TCPHS_OPEN_RESET;
	/* No SYN ever left: connect() itself failed. */
	if (!syn && c->segments && client->socket)
		return TCPHS_OPEN_UNSEEN;
	/* The client gave up, and no RST had told it to. */
	if (client->socket && gone(client))
		return TCPHS_OPEN_TIMED_OUT;
	/* The SYN came or went, and the handshake got no further yet. */
	if (syn || was(server, TCPHS_SYN_RECV) || was(client, TCPHS_SYN_SENT))
		return TCPHS_OPEN_HALF_OPEN;
	return TCPHS_OPEN_UNSEEN;
}

/* ---- close ---------------------------------------------------------------- */

/*
 * The time-out of a keep-alive, of TCP_USER_TIMEOUT or of the retransmissions:
 * the kernel gave up, and may have sent a RST to say so.
 */
static bool gave_up(const struct tcphs_side *s)
{
	if (s->rst_sent.known &&
	    (s->rst_sent.reason == REASON_TIMEOUT || s->rst_sent.error == ETIMEDOUT ||
	     (s->rst_sent.probes && !(s->rst_sent.fact & TCPHS_FACT_PROCESS))))
		return true;
	return s->fate.known && (s->fate.error == ETIMEDOUT ||
				 (s->fate.timeouts && !s->fate.process &&
				  !s->rst_got.known && !s->rst_sent.known));
}

/*
 * Who reset it. A RST after both FINs were acknowledged resets nothing: no
 * socket is left but TIME_WAIT, and that has no such record.
 */
static bool find_reset(const struct tcphs_connection *c, enum tcphs_close *close)
{
	const struct tcphs_step *rst = first_rst(c);
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
			by = !side;
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
	*close = by == TCPHS_CLIENT ? TCPHS_CLOSE_RESET_BY_CLIENT :
				      TCPHS_CLOSE_RESET_BY_SERVER;
	return found;
}

/* The first segment of `from` that acknowledges the FIN with number `fin`. */
static const struct tcphs_step *first_ack(const struct tcphs_connection *c,
					  unsigned int from, uint32_t fin)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && step->from == from &&
		    !step->foreign &&
		    (step->segment.flags & (TCPHS_ACK | TCPHS_RST)) == TCPHS_ACK &&
		    !tcphs_number_before(step->segment.ack, fin + 1))
			return step;
	}
	return NULL;
}

/*
 * Which side sent its FIN first: the one that was in FIN_WAIT1 (the other one
 * went through CLOSE_WAIT), or whose FIN left first.
 */
static unsigned int first_to_close(const struct tcphs_connection *c)
{
	const struct tcphs_step *fin[2];

	if (was(&c->side[0], TCPHS_CLOSE_WAIT) || was(&c->side[1], TCPHS_FIN_WAIT1))
		if (!was(&c->side[0], TCPHS_FIN_WAIT1))
			return TCPHS_SERVER;
	if (was(&c->side[1], TCPHS_CLOSE_WAIT) || was(&c->side[0], TCPHS_FIN_WAIT1))
		if (!was(&c->side[1], TCPHS_FIN_WAIT1))
			return TCPHS_CLIENT;
	fin[0] = first(c, TCPHS_CLIENT, TCPHS_FIN, TCPHS_FIN);
	fin[1] = first(c, TCPHS_SERVER, TCPHS_FIN, TCPHS_FIN);
	if (fin[0] && fin[1])
		return fin[1]->ts < fin[0]->ts ? TCPHS_SERVER : TCPHS_CLIENT;
	return fin[1] ? TCPHS_SERVER : TCPHS_CLIENT;
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
	uint32_t from;

	if (!a->fin_known)
		return;
	ack = first_ack(c, !active, a->fin);
	if (p->half_known)
		from = p->half_sent;
	else if (ack)
		from = ack->segment.seq;
	else if (a->half_got_known)
		from = a->half_got;
	else
		return;
	if (p->fin_known) {
		c->half_bytes = p->fin - from;
	} else {
		/* Not closed yet: up to the last number that is known. */
		if (!p->bytes_known || !p->isn_known)
			return;
		c->half_bytes = p->isn + 1 + (uint32_t)p->bytes - from;
	}
	/* Backwards: a number of another time was met. */
	if (c->half_bytes >> 31)
		c->half_bytes = 0;
	else
		c->half_bytes_known = true;
}

static enum tcphs_close find_close(struct tcphs_connection *c)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];
	unsigned int active, side;
	const struct tcphs_step *ack;
	enum tcphs_close reset;
	bool live = false;

	switch (c->open) {
	case TCPHS_OPEN_REFUSED:
	case TCPHS_OPEN_TIMED_OUT:
	case TCPHS_OPEN_RESET:
	case TCPHS_OPEN_HALF_OPEN:
		return TCPHS_CLOSE_NONE;
	default:
		break;
	}
	/* A time-out may send a RST: it is the reason, the RST its messenger. */
	if (gave_up(client) || gave_up(server))
		return TCPHS_CLOSE_TIMED_OUT;
	if (find_reset(c, &reset))
		return reset;

	active = first_to_close(c);
	find_half(c, active);
	/* Each sent its FIN before it had the other's (RFC 9293, 3.6). */
	if (either_was(c, TCPHS_CLOSING) ||
	    (was(client, TCPHS_FIN_WAIT1) && was(server, TCPHS_FIN_WAIT1)))
		return TCPHS_CLOSE_SIMULTANEOUS;
	if (c->half_bytes_known && c->half_bytes)
		return TCPHS_CLOSE_HALF_CLOSE;
	if (client->fin_known && server->fin_known) {
		/* The passive side's first answer to the FIN was its own FIN. */
		ack = first_ack(c, !active, c->side[active].fin);
		if (ack && ack->segment.flags & TCPHS_FIN)
			return TCPHS_CLOSE_THREE_SEGMENT;
		return TCPHS_CLOSE_FOUR_WAY;
	}
	/*
	 * One FIN only, and the socket that waited for the other one is gone: it
	 * waited in vain (tcp_fin_timeout).
	 */
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		if (s->socket && !gone(s) && !was(s, TCPHS_TIME_WAIT))
			live = true;
		if (gone(s) && s->nstates > 2 &&
		    s->states[s->nstates - 2].state == TCPHS_FIN_WAIT2)
			return TCPHS_CLOSE_TIMED_OUT;
	}
	/* Not gone, as far as was seen; and all was seen of it to the end. */
	if (live && !c->doubtful)
		return TCPHS_CLOSE_OPEN;
	return TCPHS_CLOSE_UNSEEN;
}

void tcphs_verdict_find(struct tcphs_connection *c)
{
	c->open = find_open(c);
	c->close = find_close(c);
}
