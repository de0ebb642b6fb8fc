// SPDX-License-Identifier: GPL-2.0
/*
 * The steps in plain words, for somebody who has read of the three-way
 * handshake and wants to recognise it. First the segment, then each state that
 * it brought about; a state that no segment changed stands alone.
 *
 * Bare sections are those of RFC 9293.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "options.h"

#define NONE SIZE_MAX
#define TIME_WAIT_NS 60000000000ULL

enum {
	TEXT = 2048,
	LOOK_BACK = 8,		/* steps; what answers what is not farther */
};

struct saying {
	const struct tcphs_explain *x;
	const struct tcphs_connection *c;
	const struct tcphs_step *step;
	size_t i;
	char text[TEXT];
};

/* Add a sentence. */
static void say(struct saying *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct saying *s, const char *format, ...)
{
	size_t used = strlen(s->text);
	va_list args;

	if (used && used + 1 < TEXT) {
		s->text[used++] = ' ';
		s->text[used] = '\0';
	}
	va_start(args, format);
	vsnprintf(s->text + used, TEXT - used, format, args);
	va_end(args);
}

static const char *who(const struct saying *s, unsigned int side)
{
	if (s->c->itself)
		return "socket";
	return side == TCPHS_CLIENT ? "client" : "server";
}

/* A number of `side` as the ladder shows it. */
static uint32_t shown(const struct saying *s, unsigned int side, uint32_t number)
{
	const struct tcphs_side *p = &s->c->side[side];

	return s->x->absolute || !p->isn_known ? number : number - p->isn;
}

/* The last segment from `from` before this step, if it is not far back. */
static const struct tcphs_step *before(const struct saying *s, unsigned int from)
{
	size_t i, first = s->i > LOOK_BACK ? s->i - LOOK_BACK : 0;

	for (i = s->i; i-- > first;) {
		const struct tcphs_step *p = &s->c->steps[i];

		if (p->kind == TCPHS_STEP_SEGMENT && p->from == from)
			return p;
	}
	return NULL;
}

static bool is_copy(const struct tcphs_step *step)
{
	return step && (step->retransmit || step->again);
}

static bool is_rst(const struct tcphs_step *step)
{
	return step->kind == TCPHS_STEP_RESET ||
	       (step->kind == TCPHS_STEP_SEGMENT && step->segment.flags & TCPHS_RST);
}

/* Marked, or its number is the ISN: acknowledged long ago. */
static bool is_probe(const struct saying *s, const struct tcphs_step *step)
{
	const struct tcphs_segment *g = &step->segment;
	const struct tcphs_side *side = &s->c->side[step->from];

	return g->mark & TCPHS_SEG_PROBE ||
	       (side->isn_known && g->seq == side->isn && !g->len &&
		(g->flags & (TCPHS_SYN | TCPHS_FIN | TCPHS_RST | TCPHS_ACK)) == TCPHS_ACK);
}

static bool acks_fin(const struct tcphs_side *side, const struct tcphs_segment *s)
{
	return s->flags & TCPHS_ACK && !(s->flags & (TCPHS_SYN | TCPHS_RST)) &&
	       side->fin_known && !tcphs_number_before(s->ack, side->fin + 1);
}

/* ---- SYN ------------------------------------------------------------------ */

static void say_isn(struct saying *s)
{
	const struct tcphs_segment *g = &s->step->segment;
	const struct tcphs_side *side = &s->c->side[s->step->from];
	const char *name = who(s, s->step->from);

	if (s->x->absolute)
		say(s, "The %s's initial sequence number (ISN) is %" PRIu32
		    "; the SYN takes that number, so its first byte will be %" PRIu32
		    " (3.4.1).", name, g->seq, g->seq + 1);
	else
		say(s, "The %s's initial sequence number (ISN) is %" PRIu32
		    ", shown as 0; the SYN takes that number, so its first byte will be 1"
		    " (3.4.1).", name, g->seq);
	if (side->before.known && side->before.iss_known)
		say(s, "The same ports were used before, with ISN %" PRIu32
		    ": the new one must lie above all old numbers, so that no late segment is taken for a new one (3.6.1).",
		    side->before.iss);
}

static void say_syn_options(struct saying *s)
{
	const struct tcphs_segment *g = &s->step->segment;
	struct tcphs_options o;

	tcphs_options_decode(g, &o);
	if (o.has_fastopen && !o.cookie_len)
		say(s, "It asks for a Fast Open cookie, to use when it connects again (RFC 7413).");
	else if (o.has_fastopen && g->len)
		say(s, "It brings a Fast Open cookie and %" PRIu32
		    " bytes of data, so that the server may answer one round trip earlier (RFC 7413).",
		    g->len);
	else if (o.has_fastopen)
		say(s, "It brings a Fast Open cookie (RFC 7413).");
	else if (g->len)
		say(s, "It brings %" PRIu32 " bytes of data.", g->len);
}

static void say_syn(struct saying *s)
{
	const struct tcphs_step *step = s->step;
	unsigned int from = step->from, to = step->after[!from];

	if (s->i != s->x->syn[from] && !step->foreign && (step->retransmit || step->again)) {
		say(s, "The same SYN again, with the same number, because no answer came (3.8.1).");
		if (!is_copy(before(s, from)))
			say(s, "Linux waits 1 s before the first copy, then mostly twice as long each time, and gives up after net.ipv4.tcp_syn_retries copies.");
		return;
	}
	if (s->i != s->x->syn[from]) {
		if (to == TCPHS_TIME_WAIT)
			say(s, "A new SYN for ports in TIME_WAIT: it may open them again only with a number above the old ones (3.6.1); any other is answered with an ACK.");
		else
			say(s, "A SYN inside a connection is old or forged: it changes nothing, and is answered by a challenge ACK (RFC 5961, 4).");
		return;
	}
	if (from == TCPHS_SERVER && s->x->syn[TCPHS_CLIENT] != NONE)
		say(s, "The other end connects too, and the SYNs cross: a simultaneous open (3.5).");
	else
		say(s, "SYN: the %s asks for a connection%s (3.5).", who(s, from),
		    s->c->open == TCPHS_OPEN_SIMULTANEOUS ? "" :
		    ", the first of the three segments");
	say_isn(s);
	if (from == TCPHS_CLIENT && step->sent)
		say(s, "Linux makes the ISN from a secret hash of addresses and ports, and a clock (RFC 6528).");
	say_syn_options(s);
}

static void say_synack(struct saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	const struct tcphs_side *peer = &s->c->side[!step->from];
	unsigned int from = step->from;
	const struct tcphs_step *asked = before(s, !from);
	struct tcphs_options o;

	if (s->i != s->x->synack[from] && (step->retransmit || step->again)) {
		say(s, "The same SYN,ACK again, because the third segment did not come (3.8.1).");
		if (!is_copy(before(s, from)))
			say(s, "Linux gives up after net.ipv4.tcp_synack_retries copies.");
		return;
	}
	if (s->c->open == TCPHS_OPEN_SIMULTANEOUS) {
		say(s, "SYN,ACK in SYN_RECV: the %s's SYN once more, with the same number, now with ack=%"
		    PRIu32 " for the SYN that it got (3.5).", who(s, from),
		    shown(s, !from, g->ack));
		return;
	}
	say(s, "SYN,ACK: the %s agrees, the second of the three segments (3.5).", who(s, from));
	if (peer->isn_known && g->ack == peer->isn + 1) {
		say(s, "ack=%" PRIu32 " is the %s's ISN + 1: the SYN took one number, and has come.",
		    shown(s, !from, g->ack), who(s, !from));
		if (asked && asked->segment.flags & TCPHS_SYN && asked->segment.len)
			say(s, "The %" PRIu32 " bytes of data in it are not taken, and have to be sent again once it is open (RFC 7413).",
			    asked->segment.len);
	} else if (peer->isn_known && tcphs_number_before(peer->isn + 1, g->ack))
		say(s, "ack=%" PRIu32 " covers the SYN and %" PRIu32
		    " bytes of data in it: Fast Open (RFC 7413).",
		    shown(s, !from, g->ack), g->ack - peer->isn - 1);
	else if (peer->isn_known)
		say(s, "Its ack is not the %s's ISN + 1: it answers another SYN (3.5).",
		    who(s, !from));
	say_isn(s);
	if (g->mark & TCPHS_SEG_COOKIE)
		say(s, "That ISN is a SYN cookie: the server remembers nothing, what it needs is in the number (RFC 4987, 3.6). Linux does so when its queue of half-open connections is full.");
	tcphs_options_decode(g, &o);
	if (o.has_fastopen && o.cookie_len)
		say(s, "It gives the client a Fast Open cookie for the next time (RFC 7413).");
}

/* ---- FIN ------------------------------------------------------------------ */

/* The other side's FIN came to this side before it sent its own. */
static bool is_second_fin(const struct saying *s)
{
	unsigned int from = s->step->from;
	size_t other = s->x->fin[!from];
	const struct tcphs_step *p;

	if (other == NONE || other > s->i)
		return false;
	p = &s->c->steps[other];
	return !p->received || p->received < s->step->ts;
}

static void say_fin(struct saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	const struct tcphs_connection *c = s->c;
	unsigned int from = step->from;
	uint32_t fin = g->seq + g->len;

	if (s->i != s->x->fin[from]) {
		say(s, "The same FIN again, because its acknowledgement did not come (3.8.1).");
		return;
	}
	if (c->close == TCPHS_CLOSE_SIMULTANEOUS && s->x->fin[!from] != NONE) {
		say(s, "FIN: the %s will send no more. Both FINs are under way at once: a simultaneous close (3.6).",
		    who(s, from));
	} else if (!is_second_fin(s)) {
		say(s, "FIN: the %s will send no more and closes its direction, the first of the %s segments (3.6).",
		    who(s, from), c->close == TCPHS_CLOSE_THREE_SEGMENT ? "three" : "four");
	} else if (s->i == s->x->fin_ack[from]) {
		say(s, "FIN: the %s closes its direction too. The same segment is the first to acknowledge the other FIN, so that the close takes three segments, not four (3.6).",
		    who(s, from));
	} else {
		say(s, "FIN: the %s closes its direction too, the third of the four segments (3.6).",
		    who(s, from));
		if (c->half_bytes_known && c->half_bytes)
			say(s, "In between it had sent %" PRIu64
			    " bytes more: the connection was half-closed (3.6.1).",
			    c->half_bytes);
	}
	if (g->len)
		say(s, "The last %" PRIu32 " bytes are in it: the FIN's own number comes after them, %"
		    PRIu32 " + %" PRIu32 " = %" PRIu32 ", and its ack will be %" PRIu32 ".",
		    g->len, shown(s, from, g->seq), g->len, shown(s, from, fin),
		    shown(s, from, fin + 1));
	else
		say(s, "It takes one number, %" PRIu32 ", after the last byte: its ack will be %"
		    PRIu32 ".", shown(s, from, fin), shown(s, from, fin + 1));
}

/* ---- ACK ------------------------------------------------------------------ */

static void say_fin_ack(struct saying *s)
{
	unsigned int from = s->step->from;
	uint32_t ack = shown(s, !from, s->step->segment.ack);

	say(s, "ACK of the %s's FIN: ack=%" PRIu32 " is the FIN's number + 1, because a FIN takes one number (3.6).",
	    who(s, !from), ack);
	if (s->c->close == TCPHS_CLOSE_SIMULTANEOUS)
		return;
	if (s->x->fin[from] == NONE || s->x->fin[from] > s->i)
		say(s, "The second of the four segments: one direction is closed, and the %s may go on sending.",
		    who(s, from));
	else
		say(s, "The last segment: an ACK takes no number and is never acknowledged.");
}

static void say_third(struct saying *s)
{
	const struct tcphs_segment *g = &s->step->segment;
	unsigned int from = s->step->from;

	say(s, "ACK: the last of the three segments. ack=%" PRIu32
	    " is the %s's ISN + 1, because its SYN took one number (3.5).",
	    shown(s, !from, g->ack), who(s, !from));
	if (g->seq == s->c->side[from].isn + 1)
		say(s, "seq=%" PRIu32 " because the %s's own SYN took one; an ACK without data takes none.",
		    shown(s, from, g->seq), who(s, from));
	if (s->c->side[TCPHS_SERVER].cookie)
		say(s, "It brings the SYN cookie back, and the server makes its socket from that number alone (RFC 4987, 3.6).");
}

static bool lives(unsigned int state)
{
	return state != TCPHS_STATE_UNKNOWN && state != TCPHS_CLOSE && state != TCPHS_LISTEN;
}

static bool ever_open(const struct tcphs_connection *c)
{
	return c->open <= TCPHS_OPEN_SYN_COOKIE || c->open == TCPHS_OPEN_UNSEEN;
}

static void say_ack(struct saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	unsigned int from = step->from;
	const struct tcphs_step *other = before(s, !from), *own = before(s, from);

	if (s->i == s->x->third) {
		say_third(s);
		return;
	}
	if (is_probe(s, step) && own && is_probe(s, own)) {
		say(s, "Keep-alive: the %s asks again (3.8.4).", who(s, from));
		return;
	}
	if (is_probe(s, step)) {
		say(s, "Keep-alive: the %s asks whether the other end is still there, with a number that was acknowledged already, one below its next: that must be answered (3.8.4).",
		    who(s, from));
		say(s, "Linux asks where SO_KEEPALIVE is set, first after net.ipv4.tcp_keepalive_time (2 h) of silence.");
		return;
	}
	if (s->i == s->x->fin_ack[from]) {
		say_fin_ack(s);
		return;
	}
	if (other && other->segment.flags & (TCPHS_SYN | TCPHS_RST) &&
	    !(other->segment.flags & TCPHS_ACK) && lives(step->after[from]) &&
	    s->x->syn[!from] != (size_t)(other - s->c->steps)) {
		if (step->after[from] == TCPHS_TIME_WAIT) {
			say(s, "TIME_WAIT answers by repeating its last ACK, and goes on (3.10.7.4).");
			return;
		}
		say(s, "Challenge ACK: the %s does not believe the segment before, and says which numbers it expects; only the true peer can answer with exactly those (RFC 5961, 3 and 4).",
		    who(s, from));
		say(s, "Linux sends at most one in 500 ms (net.ipv4.tcp_invalid_ratelimit).");
		return;
	}
	if (acks_fin(&s->c->side[!from], g) && other && other->segment.flags & TCPHS_FIN) {
		say(s, "The repeated FIN is acknowledged once more%s (3.10.7.4).",
		    step->after[from] == TCPHS_TIME_WAIT ?
		    "; this is what TIME_WAIT is for, and it begins anew" : "");
		return;
	}
	if (other && is_probe(s, other)) {
		say(s, "The answer to the keep-alive: the %s is there (3.8.4).", who(s, from));
		return;
	}
	if (own && !(own->segment.flags & (TCPHS_SYN | TCPHS_RST)) &&
	    own->segment.flags & TCPHS_ACK && own->segment.ack == g->ack) {
		say(s, "ACK with the same number as before: it tells of a new window (3.8.6), or repeats what is still missing.");
		return;
	}
	if (!ever_open(s->c)) {
		say(s, "ACK, but ack=%" PRIu32 " is not the %s's ISN + 1: this ends no handshake, and gets a RST (3.5.2).",
		    shown(s, !from, g->ack), who(s, !from));
		return;
	}
	if (s->i != s->x->ack) {
		say(s, "ACK: everything before number %" PRIu32 " has come.",
		    shown(s, !from, g->ack));
		return;
	}
	say(s, "ACK: everything before number %" PRIu32 " has come (3.4); it takes no number itself.",
	    shown(s, !from, g->ack));
	say(s, "Linux may wait up to 200 ms for data to carry it (3.8.6.3).");
}

static void say_data(struct saying *s)
{
	const struct tcphs_segment *g = &s->step->segment;
	unsigned int from = s->step->from;

	if (s->step->retransmit) {
		say(s, "The bytes from number %" PRIu32 " again, because no acknowledgement came (3.8.1).",
		    shown(s, from, g->seq));
		return;
	}
	if (s->i == s->x->third)
		say(s, "The third segment of the handshake already brings data (3.5).");
	if (s->i != s->x->data && g->len == 1)
		say(s, "The byte number %" PRIu32 ".", shown(s, from, g->seq));
	else if (s->i != s->x->data)
		say(s, "The bytes number %" PRIu32 " to %" PRIu32 ".", shown(s, from, g->seq),
		    shown(s, from, g->seq + g->len - 1));
	else
		say(s, "Data: each byte takes one number. The first of these is seq=%" PRIu32
		    ", the next to come seq + len = %" PRIu32 " (3.4).",
		    shown(s, from, g->seq), shown(s, from, g->seq + g->len));
}

/* ---- RST ------------------------------------------------------------------ */

/* Why, in the words of the socket that sent it. */
static void say_rst_reason(struct saying *s)
{
	const struct tcphs_side *side = &s->c->side[s->step->from];
	const struct tcphs_rst *rst = &side->rst_sent;
	const char *name = who(s, s->step->from);

	if (side->fate.known && side->fate.error == ECONNABORTED)
		say(s, "RST: the %s's end was aborted from outside, as by ss -K; its own process gets ECONNABORTED (3.10.5).",
		    name);
	else if (rst->fact & TCPHS_FACT_PROCESS && rst->fact & TCPHS_FACT_LINGER)
		say(s, "RST: close() with SO_LINGER 0 aborts the %s's end; nothing unsent is sent any more, and no FIN (3.10.5).",
		    name);
	else if (rst->unread)
		say(s, "RST: the %s's process closed and left %" PRIu32
		    " bytes unread; the other end must know that they did not get there (3.6.1). Linux sends a RST in place of the FIN.",
		    name, rst->unread);
	else if (rst->probes)
		say(s, "RST: %u probes without answer, the %s gives up (3.8.4).", rst->probes,
		    name);
	else if (rst->error == ETIMEDOUT)
		say(s, "RST: no acknowledgement came for too long, the %s gives up (3.8.3).", name);
	else if (rst->fact & TCPHS_FACT_REPLY)
		say(s, "RST: the %s answers a segment that does not fit its state (3.5.2).", name);
	else
		say(s, "RST: the %s aborts the connection (3.10.5).", name);
}

static void say_rst(struct saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	const struct tcphs_connection *c = s->c;
	unsigned int from = step->from;
	bool segment = step->kind == TCPHS_STEP_SEGMENT;
	const struct tcphs_step *own = before(s, from);

	if (step->foreign) {
		say(s, "A RST that the %s's socket did not send: forged, or from something in between.",
		    who(s, from));
		if (lives(step->after[!from]))
			say(s, "Its number is not exactly the next one, so it ends nothing; inside the window it is answered by a challenge ACK (RFC 5961, 3).");
		else
			say(s, "Its number is exactly the next one: it cannot be told from a true one (RFC 5961, 3).");
		return;
	}
	if (c->open == TCPHS_OPEN_REFUSED && from == TCPHS_SERVER) {
		say(s, "RST: nobody listens on this port, or a firewall says so, and the SYN is refused (3.5.2).");
		if (segment && g->flags & TCPHS_ACK)
			say(s, "There is no connection to take numbers from: seq=0, and ack=%" PRIu32
			    ", the client's ISN + 1, shows that it answers this SYN.",
			    shown(s, !from, g->ack));
		return;
	}
	if (segment && step->sent && g->mark & TCPHS_SEG_NO_SOCKET && own && is_rst(own)) {
		say(s, "RST: once more a segment without a socket.");
		return;
	}
	if (!(segment && g->mark & TCPHS_SEG_NO_SOCKET) && c->side[from].rst_sent.known)
		say_rst_reason(s);
	else if (segment && g->mark & TCPHS_SEG_NO_SOCKET && step->sent)
		say(s, "RST: no socket for the segment before it. %s (3.5.2).",
		    g->flags & TCPHS_ACK ?
		    "It had no ACK, so this one has seq=0 and acknowledges it" :
		    "seq is that segment's ack, the only number that is believed");
	else
		say(s, "RST: the %s's end breaks the connection off (3.5.2).", who(s, from));
	if (!segment)
		say(s, "The segment is not recorded; the socket tells of it.");
	else
		say(s, "It takes no number, and is never answered.");
}

/* ---- states --------------------------------------------------------------- */

static void say_close_by_rst(struct saying *s, unsigned int side, unsigned int old)
{
	if (old == TCPHS_TIME_WAIT)
		say(s, "It ends TIME_WAIT too early, which RFC 1337 warns of (net.ipv4.tcp_rfc1337).");
	else if (side == s->step->from)
		say(s, "The %s goes from %s to CLOSE at once, without TIME_WAIT.", who(s, side),
		    tcphs_names_state(old));
	else if (old == TCPHS_SYN_SENT)
		say(s, "The %s goes to CLOSE: connect() fails with ECONNREFUSED (3.10.7.3).",
		    who(s, side));
	else if (old == TCPHS_SYN_RECV)
		say(s, "The half-open connection is forgotten, and the listener stays in LISTEN (3.5.3).");
	else
		say(s, "The %s goes from %s to CLOSE at once, without TIME_WAIT; what it had not sent is lost, and its process gets %s (3.5.3).",
		    who(s, side), tcphs_names_state(old),
		    old == TCPHS_CLOSE_WAIT ? "EPIPE" : "ECONNRESET");
}

static void say_close(struct saying *s, unsigned int side, unsigned int old, uint64_t ts)
{
	const struct tcphs_side *p = &s->c->side[side];
	const struct tcphs_stay *wait = tcphs_connection_stay(p, TCPHS_TIME_WAIT);
	const char *name = who(s, side), *error = NULL;

	if (p->fate.known && p->fate.error)
		error = tcphs_names_error(p->fate.error);
	if (is_rst(s->step)) {
		say_close_by_rst(s, side, old);
		return;
	}
	switch (old) {
	case TCPHS_LAST_ACK:
		say(s, "The %s goes from LAST_ACK to CLOSE: both FINs are acknowledged, and who closes second needs no TIME_WAIT (3.6).",
		    name);
		break;
	case TCPHS_TIME_WAIT:
		if (wait && wait->ts && ts - wait->ts < TIME_WAIT_NS * 9 / 10)
			say(s, "TIME_WAIT of the %s ends before its 60 s, as when a new connection takes the ports (3.6.1).",
			    name);
		else
			say(s, "TIME_WAIT of the %s is over, and with it the connection: the ports are free again (3.6.1).",
			    name);
		break;
	case TCPHS_FIN_WAIT2:
		say(s, "The %s waited in vain for the other FIN. The RFC would wait for ever; Linux lets go of a FIN_WAIT2 without a process after net.ipv4.tcp_fin_timeout (60 s).",
		    name);
		break;
	case TCPHS_SYN_SENT:
		if (p->fate.error == ETIMEDOUT)
			say(s, "No answer came: the client gives up, and connect() fails with ETIMEDOUT (3.8.3).");
		else
			say(s, "The client gives up%s%s.", error ? ": connect() fails with " : "",
			    error ? error : "");
		break;
	case TCPHS_SYN_RECV:
		say(s, "The half-open connection is given up: the third segment did not come, and no process ever heard of it. Linux drops the request socket, and the listener stays in LISTEN.");
		break;
	default:
		if (error)
			say(s, "The %s goes from %s to CLOSE: %s (3.8.3).", name,
			    tcphs_names_state(old), error);
		else
			say(s, "The %s goes from %s to CLOSE.", name, tcphs_names_state(old));
	}
}

static bool fin_follows(const struct saying *s, unsigned int side)
{
	return s->x->fin[side] != NONE && s->x->fin[side] > s->i;
}

/* `alone`: no segment was recorded that would say the same. */
static void say_state(struct saying *s, unsigned int side, const struct tcphs_stay *stay,
		      unsigned int old, bool alone)
{
	const char *name = who(s, side);

	switch (stay->state) {
	case TCPHS_LISTEN:
		say(s, "The %s waits for connections (3.10.1).", name);
		break;
	case TCPHS_SYN_SENT:
		if (alone && s->x->syn[side] != NONE)
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
		say(s, "The %s is in CLOSING: it has the other FIN, and waits for the ACK of its own (3.6).",
		    name);
		break;
	case TCPHS_TIME_WAIT:
		say(s, "The %s enters TIME_WAIT: should its last ACK be lost, it can repeat it, and late segments die out meanwhile. That takes 2 MSL, 4 minutes (3.6.1); Linux takes 60 s, and keeps only a mini-socket for it.",
		    name);
		break;
	case TCPHS_CLOSE:
		say_close(s, side, old, stay->ts);
		break;
	}
}

static void say_states(struct saying *s, unsigned int parts)
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
			say_state(s, side, &p->states[i], i ? p->states[i - 1].state : 0,
				  alone);
		}
	}
}

/* ---- steps ---------------------------------------------------------------- */

static void say_segment(struct saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	bool syn = g->flags & TCPHS_SYN, fin = g->flags & TCPHS_FIN;
	char flags[TCPHS_NAMES_FLAGS_SIZE];

	if ((syn && (fin || g->flags & TCPHS_RST)) ||
	    !(g->flags & (TCPHS_SYN | TCPHS_ACK | TCPHS_RST))) {
		say(s, "No TCP sends these flags (%s): a scanner made this segment. Linux drops it, or takes the RST in it.",
		    tcphs_names_flags(g->flags, flags));
		return;
	}
	if (g->flags & TCPHS_RST) {
		say_rst(s);
	} else {
		if (syn && g->flags & TCPHS_ACK)
			say_synack(s);
		else if (syn)
			say_syn(s);
		else if (fin)
			say_fin(s);
		else if (g->len)
			say_data(s);
		else
			say_ack(s);
		if (step->foreign)
			say(s, "The %s's socket did not send it.", who(s, step->from));
	}
	if (g->mark & TCPHS_SEG_ACCEPT_FULL)
		say(s, "The accept queue is full: Linux drops it, until a process calls accept() (net.core.somaxconn, listen()).");
	if (step->lost)
		say(s, "It never came to the other end.");
}

static void find(size_t *place, size_t i)
{
	if (*place == NONE)
		*place = i;
}

void tcphs_explain_begin(struct tcphs_explain *x, const struct tcphs_connection *c,
			 bool absolute)
{
	bool client_acked = false;
	unsigned int side;
	size_t i;

	x->c = c;
	x->absolute = absolute;
	x->third = x->ack = x->data = NONE;
	for (side = 0; side < 2; side++)
		x->syn[side] = x->synack[side] = x->fin[side] = x->fin_ack[side] = NONE;
	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];
		const struct tcphs_segment *g = &step->segment;
		unsigned int from = step->from;

		if (step->kind != TCPHS_STEP_SEGMENT || step->foreign ||
		    g->flags & TCPHS_RST)
			continue;
		if (g->flags & TCPHS_SYN) {
			find(g->flags & TCPHS_ACK ? &x->synack[from] : &x->syn[from], i);
			continue;
		}
		if (g->flags & TCPHS_FIN)
			find(&x->fin[from], i);
		else if (g->len)
			find(&x->data, i);
		if (acks_fin(&c->side[!from], g))
			find(&x->fin_ack[from], i);
		else if (!g->len && client_acked &&
			 !(c->side[!from].isn_known && g->ack == c->side[!from].isn + 1))
			find(&x->ack, i);
		/* The first that acknowledges the SYN,ACK and nothing after it. */
		if (from == TCPHS_CLIENT && g->flags & TCPHS_ACK && !client_acked &&
		    c->open != TCPHS_OPEN_SIMULTANEOUS) {
			client_acked = true;
			if (c->side[TCPHS_CLIENT].isn_known &&
			    c->side[TCPHS_SERVER].isn_known &&
			    g->ack == c->side[TCPHS_SERVER].isn + 1)
				x->third = i;
		}
	}
}

/* Name the RFC at the first section that is given without one. */
static void name_rfc(char *text)
{
	static const char name[] = "RFC 9293, ";
	size_t len = strlen(text);
	char *p;

	for (p = text; (p = strchr(p, '(')); p++) {
		if (p[1] < '0' || p[1] > '9' || p[2] != '.')
			continue;
		if (len + sizeof(name) <= TEXT) {
			memmove(p + sizeof(name), p + 1, strlen(p + 1) + 1);
			memcpy(p + 1, name, sizeof(name) - 1);
		}
		return;
	}
}

char *tcphs_explain_step(const struct tcphs_explain *x, size_t i, unsigned int parts)
{
	struct saying s = { .x = x, .c = x->c, .step = &x->c->steps[i], .i = i };

	switch (parts & TCPHS_EXPLAIN_LEAVES ? s.step->kind : TCPHS_STEP_STATE) {
	case TCPHS_STEP_SEGMENT:
		say_segment(&s);
		break;
	case TCPHS_STEP_RESET:
		say_rst(&s);
		break;
	case TCPHS_STEP_GAP:
		say(&s, "The ring was overwritten before it was read: what happened here is not known, and nothing is guessed. A larger ring_kb, or tcphs record, prevents it.");
		break;
	case TCPHS_STEP_STATE:
		break;
	}
	say_states(&s, parts);
	name_rfc(s.text);
	return *s.text ? tcphs_memory_text(s.text) : NULL;
}

const char *tcphs_explain_data(void)
{
	return "Data: each byte takes one number, so seq and ack move on by as many (RFC 9293, 3.4). Its segments are recorded with segments=all.";
}
