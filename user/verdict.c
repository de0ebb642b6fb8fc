// SPDX-License-Identifier: GPL-2.0
/*
 * The name of what happened. Each rule is written once, in the tables below, and
 * asked once, with its reason. Where the records do not tell, the verdict is
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

/*
 * Every rule, in the order in which they are asked: the first that holds
 * decides. tcphs(8) has these texts word for word, and `timeline --explain`
 * says which one it was.
 */
enum open_rule {
	OPEN_BEFORE,
	OPEN_LOST,
	OPEN_CROSSED,
	OPEN_COOKIE,
	OPEN_SYN_DATA,
	OPEN_ESTABLISHED,
	OPEN_REFUSED,
	OPEN_RESET,
	OPEN_NO_SYN,
	OPEN_GAVE_UP,
	OPEN_HALF,
	OPEN_UNKNOWN,
};

static const struct {
	enum tcphs_open open;
	const char *text;
} open_rules[] = {
	[OPEN_BEFORE] = { TCPHS_OPEN_UNSEEN,
		"It began before the records do." },
	[OPEN_LOST] = { TCPHS_OPEN_UNSEEN,
		"Records were lost, and neither a SYN nor SYN_SENT or SYN_RECV was seen." },
	[OPEN_CROSSED] = { TCPHS_OPEN_SIMULTANEOUS,
		"The client was in SYN_SENT and then in SYN_RECV: both ends had sent a SYN." },
	[OPEN_COOKIE] = { TCPHS_OPEN_SYN_COOKIE,
		"The number of the server's SYN,ACK was a SYN cookie, and an end became ESTABLISHED." },
	[OPEN_SYN_DATA] = { TCPHS_OPEN_FAST_OPEN,
		"The SYN,ACK acknowledged data of the SYN, and an end became ESTABLISHED or the server was closing already." },
	[OPEN_ESTABLISHED] = { TCPHS_OPEN_THREE_WAY,
		"The client became ESTABLISHED, or the server did where the client is not on this machine." },
	[OPEN_REFUSED] = { TCPHS_OPEN_REFUSED,
		"There was no SYN,ACK, and a RST from the server answered the SYN or connect() failed with ECONNREFUSED." },
	[OPEN_RESET] = { TCPHS_OPEN_RESET,
		"A RST ended the handshake." },
	[OPEN_NO_SYN] = { TCPHS_OPEN_UNSEEN,
		"Segments are recorded and no SYN left: connect() itself failed." },
	[OPEN_GAVE_UP] = { TCPHS_OPEN_TIMED_OUT,
		"The client's socket went to CLOSE without ESTABLISHED, and neither a RST nor a process had told it to." },
	[OPEN_HALF] = { TCPHS_OPEN_HALF_OPEN,
		"There was a SYN, or SYN_SENT or SYN_RECV, and the handshake got no further." },
	[OPEN_UNKNOWN] = { TCPHS_OPEN_UNSEEN,
		"The records do not tell how it opened." },
};

enum close_rule {
	CLOSE_NEVER,
	CLOSE_GAVE_UP,
	CLOSE_CLIENT_RST,
	CLOSE_SERVER_RST,
	CLOSE_CROSSED,
	CLOSE_HALF,
	CLOSE_ONE_SEGMENT,
	CLOSE_BOTH,
	CLOSE_NO_FIN,
	CLOSE_NOT_YET,
	CLOSE_UNKNOWN,
};

static const struct {
	enum tcphs_close close;
	const char *text;
} close_rules[] = {
	[CLOSE_NEVER] = { TCPHS_CLOSE_NONE,
		"It never opened: there is nothing to close." },
	[CLOSE_GAVE_UP] = { TCPHS_CLOSE_TIMED_OUT,
		"An end gave up: ETIMEDOUT, or retransmissions or probes that nobody answered." },
	[CLOSE_CLIENT_RST] = { TCPHS_CLOSE_RESET_BY_CLIENT,
		"The first RST that ended a socket came from the client." },
	[CLOSE_SERVER_RST] = { TCPHS_CLOSE_RESET_BY_SERVER,
		"The first RST that ended a socket came from the server." },
	[CLOSE_CROSSED] = { TCPHS_CLOSE_SIMULTANEOUS,
		"An end was in CLOSING, or both were in FIN_WAIT1: each sent its FIN before it had the other's." },
	[CLOSE_HALF] = { TCPHS_CLOSE_HALF_CLOSE,
		"After the first FIN had come, the other end still sent data." },
	[CLOSE_ONE_SEGMENT] = { TCPHS_CLOSE_THREE_SEGMENT,
		"Both ends sent a FIN, and nothing that the second end had sent before its own acknowledged the first." },
	[CLOSE_BOTH] = { TCPHS_CLOSE_FOUR_WAY,
		"Both ends sent a FIN, one after the other." },
	[CLOSE_NO_FIN] = { TCPHS_CLOSE_TIMED_OUT,
		"A socket went from FIN_WAIT2 to CLOSE: the other end's FIN never came." },
	[CLOSE_NOT_YET] = { TCPHS_CLOSE_OPEN,
		"A socket of it still lived when the records ended." },
	[CLOSE_UNKNOWN] = { TCPHS_CLOSE_UNSEEN,
		"The records do not tell how it closed." },
};

const char *tcphs_verdict_open_rule(size_t i, enum tcphs_open *open)
{
	if (i >= sizeof(open_rules) / sizeof(open_rules[0]))
		return NULL;
	*open = open_rules[i].open;
	return open_rules[i].text;
}

const char *tcphs_verdict_close_rule(size_t i, enum tcphs_close *close)
{
	if (i >= sizeof(close_rules) / sizeof(close_rules[0]))
		return NULL;
	*close = close_rules[i].close;
	return close_rules[i].text;
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

/* Its socket came to its end before it was ESTABLISHED. */
static bool died_opening(const struct tcphs_side *s)
{
	return s->fate.known && (s->fate.old == TCPHS_SYN_SENT ||
				 s->fate.old == TCPHS_SYN_RECV);
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

/* The segments that a handshake is told by; NULL: not seen. */
struct opening {
	const struct tcphs_step *syn;		/* the client's */
	const struct tcphs_step *synack;	/* the server's */
	const struct tcphs_step *rst;		/* anybody's */
};

static void find_segments(const struct tcphs_connection *c, struct opening *o)
{
	o->syn = first(c, TCPHS_CLIENT, TCPHS_SYN | TCPHS_ACK, TCPHS_SYN);
	o->synack = first(c, TCPHS_SERVER, TCPHS_SYN | TCPHS_ACK, TCPHS_SYN | TCPHS_ACK);
	o->rst = first_rst(c);
}

static enum open_rule find_open(const struct tcphs_connection *c, const struct opening *o)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];
	const struct tcphs_step *syn = o->syn, *synack = o->synack, *rst = o->rst;
	/* A client is through when it is ESTABLISHED, and so is a server. */
	bool done = client->socket ? was(client, TCPHS_ESTABLISHED) :
				     was(server, TCPHS_ESTABLISHED);

	/* The beginning was not seen: whatever followed, it is not known how. */
	if (c->whole == TCPHS_WHOLE_PARTIAL)
		return OPEN_BEFORE;
	if (c->whole == TCPHS_WHOLE_LOSSY &&
	    !(syn || was(client, TCPHS_SYN_SENT) || was(server, TCPHS_SYN_RECV)))
		return OPEN_LOST;

	/* Both sent a SYN: a client went through SYN_RECV (RFC 9293, 3.5). */
	if (done && was(client, TCPHS_SYN_SENT) && was(client, TCPHS_SYN_RECV))
		return OPEN_CROSSED;
	/* The server kept no state between SYN and ACK. */
	if (server->cookie && (done || was(server, TCPHS_ESTABLISHED)))
		return OPEN_COOKIE;
	/*
	 * The server took data from the SYN. It may close, and leave SYN_RECV
	 * for FIN_WAIT1, before the third segment comes.
	 */
	if (took_syn_data(c, syn, synack) &&
	    (done || was(server, TCPHS_FIN_WAIT1) || was(server, TCPHS_CLOSE_WAIT)))
		return OPEN_SYN_DATA;
	if (done)
		return OPEN_ESTABLISHED;

	/* A RST answered the SYN itself; or the socket says so (ICMP, no segments). */
	if (!synack && ((syn && rst && rst->from == TCPHS_SERVER) ||
			(client->fate.known && client->fate.error == ECONNREFUSED)))
		return OPEN_REFUSED;
	/* A RST came later in the handshake, from whichever side. */
	if (rst || client->rst_sent.known || server->rst_got.known)
		return OPEN_RESET;
	/* No SYN ever left: connect() itself failed. */
	if (!syn && c->segments && client->socket)
		return OPEN_NO_SYN;
	/* The client gave up, and nobody had told it to. */
	if (client->socket && gone(client) && !abandoned(&client->fate))
		return OPEN_GAVE_UP;
	/* The SYN came or went, and the handshake got no further yet. */
	if (syn || was(server, TCPHS_SYN_RECV) || was(client, TCPHS_SYN_SENT))
		return OPEN_HALF;
	return OPEN_UNKNOWN;
}

/*
 * Where records were lost, that something is not there says nothing: then only
 * what is there counts.
 */
static bool open_proven(const struct tcphs_connection *c, const struct opening *o,
			enum open_rule rule)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];

	if ((client->socket || server->socket) &&
	    all_before(client, TCPHS_ESTABLISHED, c->intact) &&
	    all_before(server, TCPHS_ESTABLISHED, c->intact))
		return true;
	switch (rule) {
	case OPEN_BEFORE:
	case OPEN_LOST:
	case OPEN_CROSSED:
	case OPEN_COOKIE:
	case OPEN_SYN_DATA:
	case OPEN_UNKNOWN:
		return true;
	case OPEN_ESTABLISHED:
		/* No cookie, not crossed ... */
		if (server->seen ? !went_by_request(server) :
				   !went(client, TCPHS_SYN_SENT, TCPHS_ESTABLISHED))
			return false;
		/* ... and no data was taken from the SYN. */
		if (!c->segments || (o->syn && !o->syn->segment.len))
			return true;
		return o->synack && client->isn_known &&
		       o->synack->segment.ack == client->isn + 1;
	case OPEN_REFUSED:
		/* RFC 9293, 3.10.7.1: CLOSED answers a SYN with number 0. */
		return (client->fate.known && client->fate.error == ECONNREFUSED) ||
		       (o->rst && o->rst->kind == TCPHS_STEP_SEGMENT &&
			!o->rst->segment.seq && o->rst->segment.flags & TCPHS_ACK);
	case OPEN_RESET:
		return died_opening(client->socket ? client : server);
	case OPEN_GAVE_UP:
		return died_opening(client) && client->fate.error == ETIMEDOUT;
	case OPEN_NO_SYN:
	case OPEN_HALF:
		break;
	}
	return false;
}

/* ---- close ---------------------------------------------------------------- */

/* It says so: by the reason of its RST, or its error. */
static bool timed_out(const struct tcphs_side *s)
{
	if (s->rst_sent.known &&
	    (s->rst_sent.reason == REASON_TIMEOUT || s->rst_sent.error == ETIMEDOUT ||
	     (s->rst_sent.probes && !(s->rst_sent.fact & TCPHS_FACT_PROCESS))))
		return true;
	return s->fate.known && s->fate.error == ETIMEDOUT;
}

/*
 * The time-out of a keep-alive, of TCP_USER_TIMEOUT or of the retransmissions:
 * the kernel gave up, and may have sent a RST to say so.
 */
static bool gave_up(const struct tcphs_side *s)
{
	return timed_out(s) || (s->fate.known && s->fate.timeouts &&
				!s->fate.process && !s->rst_got.known &&
				!s->rst_sent.known);
}

/*
 * Did a RST end this side? The kernel's tcp_receive_reset is also told where a
 * socket resets itself, because bytes came after its process had closed it:
 * nothing was received there, and a RST leaves it next. Without segments it is
 * taken at its word.
 */
static bool rst_came(const struct tcphs_connection *c, unsigned int side)
{
	const struct tcphs_side *s = &c->side[side];
	size_t i;

	if (!s->rst_got.known)
		return false;
	if (s->rst_sent.known && s->rst_sent.ts >= s->rst_got.ts)
		return false;
	if (!c->segments)
		return true;
	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind == TCPHS_STEP_SEGMENT && step->from != side &&
		    step->segment.flags & TCPHS_RST &&
		    (step->received ? step->received : step->ts) <=
			    s->rst_got.ts)
			return true;
	}
	return c->whole == TCPHS_WHOLE_LOSSY;
}

/*
 * Who reset it. A RST after both FINs were acknowledged resets nothing: no
 * socket is left but TIME_WAIT, and that has no such record.
 */
static bool find_reset(const struct tcphs_connection *c, unsigned int *sender)
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
			by = rst_came(c, side) ? !side : side;
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

/* It is told by whom it was sent; where that end has no records, by who got it. */
static bool reset_proven(const struct tcphs_connection *c, unsigned int by)
{
	return c->side[by].rst_sent.known ||
	       (!c->side[by].seen && c->side[!by].rst_got.known);
}

/* A segment of `from` that acknowledges the FIN with number `fin`. */
static bool acknowledges(const struct tcphs_step *step, unsigned int from, uint32_t fin)
{
	return step->kind == TCPHS_STEP_SEGMENT && step->from == from && !step->foreign &&
	       (step->segment.flags & (TCPHS_ACK | TCPHS_RST)) == TCPHS_ACK &&
	       !tcphs_number_before(step->segment.ack, fin + 1);
}

static const struct tcphs_step *first_ack(const struct tcphs_connection *c,
					  unsigned int from, uint32_t fin)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++)
		if (acknowledges(&c->steps[i], from, fin))
			return &c->steps[i];
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
 * Was the FIN of `active` acknowledged by what the other end sent before `second`,
 * its own FIN? Where no data is recorded, an ACK may have come with data that was
 * sent again: FIN_WAIT2 tells of it, if nothing that is recorded had come by then.
 */
static bool acked_before(const struct tcphs_connection *c, unsigned int active,
			 const struct tcphs_step *second)
{
	const struct tcphs_stay *stay = tcphs_connection_stay(&c->side[active],
							      TCPHS_FIN_WAIT2);
	bool told = c->all || !stay || !stay->ts || !second->received;
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (!acknowledges(step, !active, c->side[active].fin))
			continue;
		if (!(step->segment.flags & TCPHS_FIN) &&
		    left_before(step, second, c->side[!active].fin))
			return true;
		if (step->received && stay && step->received <= stay->ts)
			told = true;
	}
	return !told && stay->ts < second->received;
}

static enum close_rule find_close(struct tcphs_connection *c)
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
		return CLOSE_NEVER;
	case TCPHS_OPEN_UNSEEN:
		/* How, is not known; that it came to nothing, is. */
		if (died_opening(client->socket ? client : server))
			return CLOSE_NEVER;
		break;
	default:
		break;
	}
	/* A time-out may send a RST: it is the reason, the RST its messenger. */
	if (gave_up(client) || gave_up(server))
		return CLOSE_GAVE_UP;
	if (find_reset(c, &by))
		return by == TCPHS_CLIENT ? CLOSE_CLIENT_RST : CLOSE_SERVER_RST;

	active = first_to_close(c);
	find_half(c, active);
	/* Each sent its FIN before it had the other's (RFC 9293, 3.6). */
	if (either_was(c, TCPHS_CLOSING) ||
	    (was(client, TCPHS_FIN_WAIT1) && was(server, TCPHS_FIN_WAIT1)))
		return CLOSE_CROSSED;
	if (c->half_bytes_known && c->half_bytes)
		return CLOSE_HALF;
	if (client->fin_known && server->fin_known) {
		second = first(c, !active, TCPHS_FIN, TCPHS_FIN);
		if (second && acknowledges(second, !active, c->side[active].fin) &&
		    !acked_before(c, active, second))
			return CLOSE_ONE_SEGMENT;
		return CLOSE_BOTH;
	}
	/*
	 * One FIN only, and the socket that waited for the other one is gone: it
	 * waited in vain (tcp_fin_timeout).
	 */
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		if (s->socket && !s->closed && !gone(s) && !was(s, TCPHS_TIME_WAIT))
			live = true;
		if (gone(s) && s->nstates > 2 &&
		    s->states[s->nstates - 2].state == TCPHS_FIN_WAIT2)
			return CLOSE_NO_FIN;
	}
	/* Not gone, as far as was seen; and all was seen of it to the end. */
	if (live && !c->doubtful)
		return CLOSE_NOT_YET;
	return CLOSE_UNKNOWN;
}

/* See open_proven(). */
static bool close_proven(const struct tcphs_connection *c, enum close_rule rule)
{
	unsigned int active = first_to_close(c);
	const struct tcphs_step *second = first(c, !active, TCPHS_FIN, TCPHS_FIN);

	switch (rule) {
	case CLOSE_NEVER:
	case CLOSE_NOT_YET:
	case CLOSE_UNKNOWN:
		return true;
	case CLOSE_CROSSED:
	case CLOSE_HALF:
		/* What a RST did that is here is not known, if it did anything. */
		return !first_rst(c) && (rule != CLOSE_HALF || c->side[!active].half_known);
	case CLOSE_GAVE_UP:
		return timed_out(&c->side[0]) || timed_out(&c->side[1]);
	case CLOSE_CLIENT_RST:
		return reset_proven(c, TCPHS_CLIENT);
	case CLOSE_SERVER_RST:
		return reset_proven(c, TCPHS_SERVER);
	case CLOSE_BOTH:
		/* The second FIN waited, no data came meanwhile, and it was taken. */
		return (!c->side[active].socket || was(&c->side[active], TCPHS_TIME_WAIT)) &&
		       !first_rst(c) && !c->side[0].fate.error &&
		       !c->side[1].fate.error && c->side[!active].half_known &&
		       c->half_bytes_known && second && acked_before(c, active, second);
	case CLOSE_ONE_SEGMENT:
	case CLOSE_NO_FIN:
		break;
	}
	return false;
}

void tcphs_verdict_find(struct tcphs_connection *c)
{
	struct opening segments;
	enum open_rule open;
	enum close_rule close;

	find_segments(c, &segments);
	open = find_open(c, &segments);
	if (c->whole == TCPHS_WHOLE_LOSSY && !open_proven(c, &segments, open))
		open = OPEN_UNKNOWN;
	c->open = open_rules[open].open;
	c->open_rule = open_rules[open].text;
	close = find_close(c);
	if (c->whole == TCPHS_WHOLE_LOSSY && !close_proven(c, close))
		close = CLOSE_UNKNOWN;
	c->close = close_rules[close].close;
	c->close_rule = close_rules[close].text;
}
