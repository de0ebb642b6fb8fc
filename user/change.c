// SPDX-License-Identifier: GPL-2.0
/* The states in plain words: what each means, and why it came or ended. */
#include <errno.h>

#include "change.h"
#include "clue.h"
#include "names.h"

#define say(s, ...) tcphs_saying_add(s, __VA_ARGS__)
#define who(s, side) tcphs_saying_who(s, side)

#define TIME_WAIT_NS 60000000000ULL

/* No process had the socket: it had been closed, or was only a mini-socket by then. */
static bool is_orphan(const struct tcphs_side *side, const struct tcphs_stay *stay)
{
	return side->fate.dead || stay->via == TCPHS_VIA_TIMEWAIT;
}

/* What read() or write() fails with after a RST, by the kernel's word if it is here. */
static const char *rst_error(const struct tcphs_side *side, unsigned int old)
{
	const char *error = NULL;

	if (side->fate.known && side->fate.error)
		error = tcphs_names_error(side->fate.error);
	return error ? error : old == TCPHS_CLOSE_WAIT ? "EPIPE" : "ECONNRESET";
}

static void say_close_by_rst(struct tcphs_saying *s, unsigned int side,
			     const struct tcphs_stay *stay, const struct tcphs_stay *was)
{
	const struct tcphs_side *p = &s->c->side[side];
	unsigned int old = was ? was->state : TCPHS_STATE_UNKNOWN;
	bool orphan = is_orphan(p, stay);

	if (old == TCPHS_TIME_WAIT)
		say(s, "It ends TIME_WAIT too early, which RFC 1337 warns of (net.ipv4.tcp_rfc1337).");
	else if (side == s->step->from)
		say(s, "The %s goes from %s to CLOSE at once, without TIME_WAIT.", who(s, side),
		    tcphs_names_state(old));
	else if (old == TCPHS_SYN_SENT)
		say(s, "The %s goes to CLOSE: connect() fails with ECONNREFUSED (3.10.7.3).",
		    who(s, side));
	else if (old == TCPHS_SYN_RECV && was->via == TCPHS_VIA_REQUEST)
		say(s, "The half-open connection is forgotten, and the listener stays in LISTEN (3.5.3).");
	else
		/* FIN_WAIT2: its FIN is acknowledged, and so is all before it. */
		say(s, "The %s goes from %s to CLOSE at once, without TIME_WAIT%s%s%s (3.5.3).",
		    who(s, side), tcphs_names_state(old),
		    old == TCPHS_FIN_WAIT2 ? "" : "; what it had not sent is lost",
		    orphan ? "" : ", and its process gets ",
		    orphan ? "" : rst_error(p, old));
}

/* The section on what ends a connection with this error; "" none. */
static const char *error_section(unsigned int error)
{
	switch (error) {
	case ETIMEDOUT:
		return " (3.8.3)";
	case ECONNRESET:
	case EPIPE:
		return " (3.5.3)";
	case ECONNABORTED:
		return " (3.10.5)";
	}
	return "";
}

/* It ended otherwise than its state would have it. */
static void say_close_early(struct tcphs_saying *s, unsigned int side, unsigned int old)
{
	const struct tcphs_fate *fate = &s->c->side[side].fate;
	const char *error = tcphs_names_error(fate->error);

	if (fate->error && error)
		say(s, "The %s goes from %s to CLOSE: %s%s.", who(s, side),
		    tcphs_names_state(old), error, error_section(fate->error));
	else
		say(s, "The %s goes from %s to CLOSE.", who(s, side), tcphs_names_state(old));
}

static void say_request_over(struct tcphs_saying *s)
{
	size_t third = s->x->third;

	say(s, "The half-open connection is given up: the third segment %s, and no process ever heard of it. Linux drops the request socket.",
	    third < s->i && s->c->steps[third].received ? "was not taken" : "did not come");
}

static void say_close(struct tcphs_saying *s, unsigned int side,
		      const struct tcphs_stay *stay, const struct tcphs_stay *was)
{
	const struct tcphs_side *p = &s->c->side[side];
	const struct tcphs_stay *wait = tcphs_connection_stay(p, TCPHS_TIME_WAIT);
	unsigned int old = was ? was->state : TCPHS_STATE_UNKNOWN;
	bool failed = p->fate.known && p->fate.error;
	const char *name = who(s, side), *error = failed ? tcphs_names_error(p->fate.error) : NULL;

	if (tcphs_clue_is_rst(s->step)) {
		say_close_by_rst(s, side, stay, was);
	} else if (old == TCPHS_LAST_ACK && !failed) {
		say(s, "The %s goes from LAST_ACK to CLOSE: both FINs are acknowledged, and who closes second needs no TIME_WAIT (3.6).",
		    name);
	} else if (old == TCPHS_TIME_WAIT) {
		if (wait && wait->ts && stay->ts - wait->ts < TIME_WAIT_NS * 9 / 10)
			say(s, "TIME_WAIT of the %s ends before its 60 s, as when a new connection takes the ports (3.6.1).",
			    name);
		else
			say(s, "TIME_WAIT of the %s is over, and with it the connection: the ports are free again (3.6.1).",
			    name);
	} else if (old == TCPHS_FIN_WAIT2 && !failed && is_orphan(p, stay)) {
		say(s, "The %s waited in vain for the other FIN. The RFC would wait for ever; Linux lets go of a FIN_WAIT2 without a process after net.ipv4.tcp_fin_timeout (60 s).",
		    name);
	} else if (old == TCPHS_SYN_SENT && p->fate.error == ETIMEDOUT) {
		say(s, "No answer came: the %s gives up, and connect() fails with ETIMEDOUT (3.8.3).",
		    name);
	} else if (old == TCPHS_SYN_SENT) {
		say(s, "The %s gives up%s%s.", name, error ? ": connect() fails with " : "",
		    error ? error : "");
	} else if (old == TCPHS_SYN_RECV && was->via == TCPHS_VIA_REQUEST) {
		say_request_over(s);
	} else {
		say_close_early(s, side, old);
	}
}

static bool fin_follows(const struct tcphs_saying *s, unsigned int side)
{
	return s->x->fin[side] != TCPHS_SAYING_NONE && s->x->fin[side] > s->i;
}

/* `alone`: no segment was recorded that would say the same. */
static void say_state(struct tcphs_saying *s, unsigned int side, const struct tcphs_stay *stay,
		      const struct tcphs_stay *was, bool alone)
{
	unsigned int old = was ? was->state : TCPHS_STATE_UNKNOWN;
	const char *name = who(s, side);

	switch (stay->state) {
	case TCPHS_LISTEN:
		say(s, "The %s waits for connections (3.10.1).", name);
		break;
	case TCPHS_SYN_SENT:
		if (alone && s->x->syn[side] != TCPHS_SAYING_NONE)
			say(s, "connect(): the %s is to send a SYN (3.10.1).", name);
		else if (alone && s->c->segments)
			say(s, "connect(): the %s is to send a SYN, and none is recorded (3.10.1).", name);
		else if (alone)
			say(s, "connect(): the %s sends a SYN and waits for the answer (3.10.1).", name);
		else
			say(s, "The %s waits in SYN_SENT for the answer.", name);
		break;
	case TCPHS_SYN_RECV:
		if (old == TCPHS_SYN_SENT)
			say(s, "The %s has sent a SYN and got one: SYN_RECV, until its own is acknowledged (3.10.7.3).",
			    name);
		else if (stay->via == TCPHS_VIA_REQUEST)
			say(s, "The %s is in SYN_RECV until the third segment comes. Linux keeps only a small request socket so far; the listener stays in LISTEN.",
			    name);
		else if (s->c->open == TCPHS_OPEN_FAST_OPEN)
			say(s, "With Fast Open Linux makes the %s's socket now, in SYN_RECV, and its process may answer before the third segment comes (RFC 7413).",
			    name);
		else if (s->c->side[side].cookie)
			say(s, "Linux makes the %s's socket only now, and calls it SYN_RECV for a moment.",
			    name);
		else
			say(s, "Linux makes the %s's socket when the third segment comes; the request socket that it had until then is not recorded.",
			    name);
		break;
	case TCPHS_ESTABLISHED:
		if (old == TCPHS_SYN_SENT)
			say(s, "The %s is ESTABLISHED: connect() returns, and it may send (3.10.7.3).",
			    name);
		else if (s->c->open == TCPHS_OPEN_SIMULTANEOUS)
			say(s, "The SYN of the %s is acknowledged: ESTABLISHED (3.10.7.4).", name);
		else if (s->c->open == TCPHS_OPEN_FAST_OPEN)
			say(s, "The %s is ESTABLISHED (3.10.7.4).", name);
		else
			say(s, "The %s is ESTABLISHED: Linux has a full socket now, for accept() to take.",
			    name);
		break;
	case TCPHS_FIN_WAIT1:
		if (alone && fin_follows(s, side))
			say(s, "close() or shutdown() of the %s: its FIN follows what is still to be sent (3.10.4).",
			    name);
		else if (alone)
			say(s, "close() or shutdown(): the %s sends a FIN and waits for its ACK (3.10.4).",
			    name);
		else
			say(s, "The %s waits for that in FIN_WAIT1.", name);
		break;
	case TCPHS_FIN_WAIT2:
		if (alone)
			say(s, "The FIN of the %s is acknowledged.", name);
		say(s, "In FIN_WAIT2 the %s waits for the other FIN: by the RFC for ever, on Linux 60 s (net.ipv4.tcp_fin_timeout) once no process has the socket.",
		    name);
		break;
	case TCPHS_CLOSE_WAIT:
		if (alone)
			say(s, "The other end's FIN has come.");
		say(s, "The %s is in CLOSE_WAIT: its process reads the end of the file, and may send until it closes too.",
		    name);
		break;
	case TCPHS_LAST_ACK:
		if (alone && fin_follows(s, side))
			say(s, "close() of the %s: its FIN follows what is still to be sent (3.10.4).",
			    name);
		else if (alone)
			say(s, "close(): the %s sends its FIN too (3.10.4).", name);
		say(s, "The %s waits in LAST_ACK for the last acknowledgement.", name);
		break;
	case TCPHS_CLOSING:
		say(s, "The %s is in CLOSING: it has %s, and waits for the ACK of its own (3.6).",
		    name, s->c->itself ? "got a FIN" : "the other FIN");
		break;
	case TCPHS_TIME_WAIT:
		say(s, "The %s enters TIME_WAIT: should its last ACK be lost, it can repeat it, and late segments die out meanwhile. That takes 2 MSL, 4 minutes (3.6.1); Linux takes 60 s, and keeps only a mini-socket for it.",
		    name);
		break;
	case TCPHS_CLOSE:
		say_close(s, side, stay, was);
		break;
	}
}

void tcphs_change_say(struct tcphs_saying *s, unsigned int parts)
{
	bool alone = s->step->kind == TCPHS_STEP_STATE;
	unsigned int k, side;
	uint32_t i;

	/* Who sends changes first. */
	for (k = 0; k < 2; k++) {
		const struct tcphs_entered *e;
		const struct tcphs_side *p;

		if (!(parts & (k ? TCPHS_EXPLAIN_COMES : TCPHS_EXPLAIN_LEAVES)))
			continue;
		side = k ? !s->step->from : s->step->from;
		e = &s->step->entered[side];
		p = &s->c->side[side];
		for (i = e->begin; i < e->begin + e->count; i++) {
			/* Passed through: the FIN_WAIT2 of a three-segment close. */
			if (i + 1 < e->begin + e->count && !alone &&
			    p->states[i].state == TCPHS_FIN_WAIT2) {
				say(s, "The %s passes FIN_WAIT2.", who(s, side));
				continue;
			}
			if (!p->states[i].ts) {
				say(s, "The %s was in %s; since when, is not recorded.",
				    who(s, side), tcphs_names_state(p->states[i].state));
				continue;
			}
			say_state(s, side, &p->states[i], i ? &p->states[i - 1] : NULL,
				  alone);
		}
	}
}
