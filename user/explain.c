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
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "change.h"
#include "clue.h"
#include "explain.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "options.h"
#include "saying.h"

#define say(s, ...) tcphs_saying_add(s, __VA_ARGS__)
#define who(s, side) tcphs_saying_who(s, side)
#define shown(s, side, number) tcphs_saying_shown(s, side, number)
#define before(s, from) tcphs_saying_before(s, from)

static bool is_copy(const struct tcphs_step *step)
{
	return step && (step->retransmit || step->again);
}

static bool acks_fin(const struct tcphs_side *side, const struct tcphs_segment *s)
{
	return s->flags & TCPHS_ACK && !(s->flags & (TCPHS_SYN | TCPHS_RST)) &&
	       side->fin_known && !tcphs_number_before(s->ack, side->fin + 1);
}

static bool lives(unsigned int state)
{
	return state != TCPHS_STATE_UNKNOWN && state != TCPHS_CLOSE && state != TCPHS_LISTEN;
}

/* ---- SYN ------------------------------------------------------------------ */

static void say_isn(struct tcphs_saying *s)
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
		    ": so that no late segment is taken for a new one, the new number lies above the old ones, or the timestamp is newer (3.6.1, RFC 6191).",
		    side->before.iss);
}

static void say_syn_options(struct tcphs_saying *s)
{
	const struct tcphs_segment *g = &s->step->segment;
	struct tcphs_options o;

	tcphs_options_decode(g, &o);
	if (o.has_fastopen && !o.cookie_len)
		say(s, "It asks for a Fast Open cookie, to use when it connects again (RFC 7413).");
	else if (o.has_fastopen && g->len)
		say(s, "It brings a Fast Open cookie and %" PRIu32
		    " byte%s of data, so that the server may answer one round trip earlier (RFC 7413).",
		    g->len, tcphs_number_plural(g->len));
	else if (o.has_fastopen)
		say(s, "It brings a Fast Open cookie (RFC 7413).");
	else if (g->len)
		say(s, "It brings %" PRIu32 " byte%s of data.", g->len,
		    tcphs_number_plural(g->len));
}

static void say_syn(struct tcphs_saying *s)
{
	const struct tcphs_step *step = s->step;
	unsigned int from = step->from, to = step->after[!from];

	if (s->i != s->x->syn[from] && !step->foreign && (step->retransmit || step->again)) {
		say(s, "The same SYN again, with the same number, because no answer came (3.8.1).");
		if (!is_copy(before(s, from)))
			say(s, "Linux waits 1 s before the first copy, then twice as long each time, and gives up after net.ipv4.tcp_syn_retries copies; from 6.5 on, net.ipv4.tcp_syn_linear_timeouts copies 1 s apart come before these.");
		return;
	}
	if (s->i != s->x->syn[from]) {
		if (to == TCPHS_TIME_WAIT)
			say(s, "A new SYN for ports in TIME_WAIT: it may open them again with a number above the old ones or, in Linux, with a newer timestamp (3.6.1, RFC 6191); any other is answered with an ACK.");
		else
			say(s, "A SYN inside a connection is old, forged, or from a peer that has lost its state: it changes nothing, and is answered by a challenge ACK (RFC 5961, 4). Only a peer without the connection answers that, with a RST (3.5.1).");
		return;
	}
	if (from == TCPHS_SERVER && s->x->syn[TCPHS_CLIENT] != TCPHS_SAYING_NONE)
		say(s, "The other end connects too, and the SYNs cross: a simultaneous open (3.5).");
	else
		say(s, "SYN: the %s asks for a connection%s (3.5).", who(s, from),
		    s->c->open == TCPHS_OPEN_SIMULTANEOUS ? "" :
		    ", the first of the three segments");
	say_isn(s);
	/* Out of its own TIME_WAIT Linux goes on from the last number instead. */
	if (from == TCPHS_CLIENT && step->sent && !s->c->side[from].before.known &&
	    !(step->segment.mark & TCPHS_SEG_NO_SOCKET))
		say(s, "Linux makes a new socket's ISN from a secret hash of addresses and ports, and a clock (RFC 6528).");
	say_syn_options(s);
}

/* Did that SYN come again, and ask for it? */
static bool syn_came_again(const struct tcphs_saying *s)
{
	const struct tcphs_step *asked = before(s, !s->step->from);
	const struct tcphs_step *own = before(s, s->step->from);

	return is_copy(asked) && tcphs_answer_at_once(asked, s->step) &&
	       (asked->segment.flags & (TCPHS_SYN | TCPHS_ACK)) == TCPHS_SYN &&
	       (!own || tcphs_connection_left(own) < asked->received);
}

static void say_synack_again(struct tcphs_saying *s)
{
	size_t third = s->x->third;

	if (syn_came_again(s)) {
		say(s, "The same SYN,ACK again, to answer the SYN that came again.");
		return;
	}
	say(s, "The same SYN,ACK again, because the third segment %s (3.8.1).",
	    third < s->i && s->c->steps[third].received ? "was not taken" : "did not come");
	if (!is_copy(before(s, s->step->from)))
		say(s, "Linux gives up after net.ipv4.tcp_synack_retries copies.");
}

static void say_synack(struct tcphs_saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	const struct tcphs_side *peer = &s->c->side[!step->from];
	unsigned int from = step->from;
	const struct tcphs_step *asked = before(s, !from);
	struct tcphs_options o;

	if (s->i != s->x->synack[from] && is_copy(step)) {
		say_synack_again(s);
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
			say(s, "The data in it, %" PRIu32 " byte%s, is not taken, and has to be sent again once it is open (RFC 7413).",
			    asked->segment.len, tcphs_number_plural(asked->segment.len));
	} else if (peer->isn_known && tcphs_number_before(peer->isn + 1, g->ack))
		say(s, "ack=%" PRIu32 " covers the SYN and %" PRIu32
		    " byte%s of data in it: Fast Open (RFC 7413).",
		    shown(s, !from, g->ack), g->ack - peer->isn - 1,
		    tcphs_number_plural(g->ack - peer->isn - 1));
	else if (peer->isn_known)
		say(s, "Its ack is not the %s's ISN + 1: it answers another SYN (3.5).",
		    who(s, !from));
	say_isn(s);
	if (g->mark & TCPHS_SEG_COOKIE)
		say(s, "That ISN is a SYN cookie: the server remembers nothing, what it needs is in the number (RFC 4987, 3.6). Linux does so when its queue of half-open connections is full, or always with net.ipv4.tcp_syncookies=2.");
	tcphs_options_decode(g, &o);
	if (o.has_fastopen && o.cookie_len)
		say(s, "It gives the client a Fast Open cookie for the next time (RFC 7413).");
}

/* ---- FIN ------------------------------------------------------------------ */

/* How many segments the close takes; NULL: it was no close by FINs, or is not known. */
static const char *close_count(const struct tcphs_saying *s)
{
	switch (s->c->close) {
	case TCPHS_CLOSE_FOUR_WAY:
	case TCPHS_CLOSE_THREE_SEGMENT:
	case TCPHS_CLOSE_HALF_CLOSE:
		return s->x->fin_in_one == TCPHS_SAYING_NONE ? "four" : "three";
	case TCPHS_CLOSE_OPEN:
		return "three or four";
	default:
		return NULL;
	}
}

/* The other side's FIN came to this side before it sent its own. */
static bool is_second_fin(const struct tcphs_saying *s)
{
	unsigned int from = s->step->from;
	size_t other = s->x->fin[!from];
	const struct tcphs_step *p;

	/* Recorded or not, these tell of it. */
	if (s->step->after[from] == TCPHS_LAST_ACK ||
	    acks_fin(&s->c->side[!from], &s->step->segment))
		return true;
	if (other == TCPHS_SAYING_NONE || other > s->i)
		return false;
	p = &s->c->steps[other];
	return !p->received || p->received < tcphs_connection_left(s->step);
}

static void say_second_fin(struct tcphs_saying *s)
{
	const struct tcphs_connection *c = s->c;
	const char *name = who(s, s->step->from), *count = close_count(s);

	if (s->i == s->x->fin_in_one)
		say(s, "FIN: the %s closes its direction too. The same segment is the first to acknowledge the other FIN%s (3.6).",
		    name, count ? ", so that the close takes three segments, not four" : "");
	else
		say(s, "FIN: the %s closes its direction too%s (3.6).", name,
		    count ? ", the third of the four segments" : "");
	if (c->half_bytes_known && c->half_bytes)
		say(s, "In between it had sent %" PRIu64
		    " byte%s more: the connection was half-closed (3.6.1).", c->half_bytes,
		    tcphs_number_plural(c->half_bytes));
}

static void say_fin(struct tcphs_saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	const struct tcphs_connection *c = s->c;
	unsigned int from = step->from;
	const char *count = close_count(s);
	uint32_t fin = g->seq + g->len;

	if (s->i != s->x->fin[from]) {
		say(s, "The same FIN again, because its acknowledgement did not come (3.8.1).");
		return;
	}
	if (c->itself)
		say(s, "FIN: the socket will send no more. It is both ends, and its FIN comes to itself, as in a simultaneous close (3.6).");
	else if (c->close == TCPHS_CLOSE_SIMULTANEOUS)
		say(s, "FIN: the %s will send no more. Both FINs are under way at once: a simultaneous close (3.6).",
		    who(s, from));
	else if (is_second_fin(s))
		say_second_fin(s);
	else if (count)
		say(s, "FIN: the %s will send no more and closes its direction, the first of the %s segments (3.6).",
		    who(s, from), count);
	else
		say(s, "FIN: the %s will send no more and closes its direction (3.6).",
		    who(s, from));
	if (g->len)
		say(s, "The last data, %" PRIu32 " byte%s, is in it: the FIN's own number comes after that, %"
		    PRIu32 " + %" PRIu32 " = %" PRIu32 ", and its ack will be %" PRIu32 ".",
		    g->len, tcphs_number_plural(g->len), shown(s, from, g->seq), g->len, shown(s, from, fin),
		    shown(s, from, fin + 1));
	else
		say(s, "It takes one number, %" PRIu32 ", after the last byte: its ack will be %"
		    PRIu32 ".", shown(s, from, fin), shown(s, from, fin + 1));
}

/* ---- ACK ------------------------------------------------------------------ */

/* Has the side sent its FIN? In TIME_WAIT it has, and also got the other. */
static bool fin_sent(const struct tcphs_saying *s, unsigned int side)
{
	return s->x->fin[side] < s->i || s->step->after[side] == TCPHS_TIME_WAIT;
}

static void say_fin_ack(struct tcphs_saying *s)
{
	unsigned int from = s->step->from, state = s->step->after[from];
	uint32_t ack = shown(s, !from, s->step->segment.ack);

	say(s, "ACK of the %s's FIN: ack=%" PRIu32 " is the FIN's number + 1, because a FIN takes one number (3.6).",
	    who(s, !from), ack);
	if (s->c->close == TCPHS_CLOSE_SIMULTANEOUS)
		return;
	if (fin_sent(s, from)) {
		say(s, "The last segment: an ACK takes no number and is never acknowledged.");
		return;
	}
	/* Its own FIN may be among the records that are lost. */
	if (s->c->whole == TCPHS_WHOLE_LOSSY && state != TCPHS_CLOSE_WAIT &&
	    state != TCPHS_LAST_ACK)
		return;
	say(s, "%s direction is closed, and the %s may go on sending.",
	    close_count(s) ? "The second of the four segments: one" : "One", who(s, from));
}

static void say_third(struct tcphs_saying *s)
{
	const struct tcphs_side *server = &s->c->side[TCPHS_SERVER];
	const struct tcphs_segment *g = &s->step->segment;
	unsigned int from = s->step->from;

	say(s, "ACK: the last of the three segments. ack=%" PRIu32
	    " is the %s's ISN + 1, because its SYN took one number (3.5).",
	    shown(s, !from, g->ack), who(s, !from));
	if (g->seq == s->c->side[from].isn + 1)
		say(s, "seq=%" PRIu32 " because the %s's own SYN took one; an ACK without data takes none.",
		    shown(s, from, g->seq), who(s, from));
	if (!server->cookie)
		return;
	say(s, "It brings the SYN cookie back, and the server %s its socket from that number alone (RFC 4987, 3.6).",
	    server->socket ? "makes" : "could make");
	if (!server->socket && s->step->received && s->c->whole != TCPHS_WHOLE_LOSSY)
		say(s, "It makes none, as when its accept queue is full.");
}

static bool ever_open(const struct tcphs_connection *c)
{
	return c->open <= TCPHS_OPEN_SYN_COOKIE || c->open == TCPHS_OPEN_UNSEEN;
}

static bool asks_for_window(const struct tcphs_saying *s, const struct tcphs_step *probe)
{
	return tcphs_answer_is_window_probe(s->c, probe - s->c->steps);
}

static void say_probe_answer(struct tcphs_saying *s, const struct tcphs_step *probe)
{
	const char *name = who(s, s->step->from);

	if (asks_for_window(s, probe))
		say(s, "The answer to the probe: the %s has %s (3.8.6.1).", name,
		    s->step->segment.win ? "room again" : "no room yet");
	else
		say(s, "The answer to the keep-alive: the %s is there (3.8.4).", name);
}

static void say_probe(struct tcphs_saying *s, bool again)
{
	const char *name = who(s, s->step->from);
	const struct tcphs_side *side = &s->c->side[s->step->from];

	if (asks_for_window(s, s->step)) {
		say(s, "Window probe: the other end had no room (window 0), and the %s asks %s (3.8.6.1).",
		    name, again ? "again" : "whether it has, with a number that was acknowledged already: that must be answered");
		return;
	}
	if (again) {
		say(s, "Keep-alive: the %s asks again (3.8.4).", name);
		return;
	}
	say(s, "Keep-alive: the %s asks whether the other end is still there, with a number that was acknowledged already, one below its next: that must be answered (3.8.4).",
	    name);
	say(s, "Linux asks where SO_KEEPALIVE is set, first after net.ipv4.tcp_keepalive_time (2 h) of silence.");
	if (!s->c->all && !(side->bytes_known && !side->bytes))
		say(s, "With data to send and no window for it, it would look the same (3.8.6.1).");
}

/* It came where a handshake waits for another number. */
static bool is_wrong_ack(const struct tcphs_saying *s)
{
	const struct tcphs_side *peer = &s->c->side[!s->step->from];

	return (!ever_open(s->c) || tcphs_clue_is_stale(s->c, s->step)) && peer->isn_known &&
	       s->step->segment.ack != peer->isn + 1;
}

static void say_ack(struct tcphs_saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	unsigned int from = step->from;
	const struct tcphs_step *other = before(s, !from), *own = before(s, from);

	if (s->i == s->x->third) {
		say_third(s);
		return;
	}
	if (tcphs_answer_is_probe(s->c, step)) {
		say_probe(s, own && tcphs_answer_is_probe(s->c, own) &&
			  asks_for_window(s, own) == asks_for_window(s, step));
		return;
	}
	if (s->i == s->x->fin_ack[from]) {
		say_fin_ack(s);
		return;
	}
	if (tcphs_answer_is_challenge(s->c, s->i)) {
		if (step->after[from] == TCPHS_TIME_WAIT) {
			say(s, "TIME_WAIT answers by repeating its last ACK, and goes on (3.10.7.4).");
			return;
		}
		say(s, "Challenge ACK: the %s does not believe the segment before, and says which numbers it expects; only the true peer can answer with exactly those (RFC 5961, 3 and 4).",
		    who(s, from));
		say(s, "Linux sends at most one in 500 ms (net.ipv4.tcp_invalid_ratelimit).");
		return;
	}
	if (acks_fin(&s->c->side[!from], g) && !is_wrong_ack(s) && other && other->segment.flags & TCPHS_FIN) {
		say(s, "The repeated FIN is acknowledged once more%s (3.10.7.4).",
		    step->after[from] == TCPHS_TIME_WAIT ?
		    "; this is what TIME_WAIT is for, and it begins anew" : "");
		return;
	}
	if (other && tcphs_answer_is_probe(s->c, other) &&
	    (g->mark & TCPHS_SEG_ANSWER || tcphs_answer_at_once(other, step))) {
		say_probe_answer(s, other);
		return;
	}
	if (is_copy(other) && other->segment.flags & TCPHS_SYN && own &&
	    own->segment.ack == g->ack) {
		say(s, "The third segment again, to answer the %s that came again.",
		    other->segment.flags & TCPHS_ACK ? "SYN,ACK" : "SYN");
		return;
	}
	if (own && !(own->segment.flags & (TCPHS_SYN | TCPHS_RST)) &&
	    own->segment.flags & TCPHS_ACK && own->segment.ack == g->ack) {
		say(s, "ACK with the same number as before: it tells of a new window (3.8.6), or repeats what is still missing.");
		return;
	}
	if (is_wrong_ack(s)) {
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

static void say_data(struct tcphs_saying *s)
{
	const struct tcphs_segment *g = &s->step->segment;
	unsigned int from = s->step->from;

	/* Sent before, and yet the handshake's third segment: they were in the SYN. */
	if (s->step->retransmit && s->i == s->x->third) {
		say(s, "The third segment of the handshake brings the SYN's data again, because it was not taken with the SYN (RFC 7413).");
		return;
	}
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
static void say_rst_reason(struct tcphs_saying *s)
{
	const struct tcphs_side *side = &s->c->side[s->step->from];
	const struct tcphs_rst *rst = &side->rst_sent;
	const char *name = who(s, s->step->from);

	if (tcphs_clue_reset_itself(s->c, s->step->from))
		say(s, "RST: bytes came after the %s's process had closed, and nobody is there to read them; the other end must know that not all got there (3.6.1).",
		    name);
	else if (side->fate.known && side->fate.error == ECONNABORTED)
		say(s, "RST: the %s's end was aborted from outside, as by ss -K; its own process gets ECONNABORTED (3.10.5).",
		    name);
	else if (rst->fact & TCPHS_FACT_PROCESS && rst->fact & TCPHS_FACT_LINGER)
		say(s, "RST: close() with SO_LINGER 0 aborts the %s's end; nothing unsent is sent any more, and no FIN (3.10.5).",
		    name);
	else if (rst->unread && !(rst->fact & TCPHS_FACT_REPLY))
		say(s, "RST: the %s's process closed and left %" PRIu32
		    " byte%s unread; the other end must know that not all got there (3.6.1). Linux sends a RST in place of the FIN.",
		    name, rst->unread, tcphs_number_plural(rst->unread));
	else if (rst->probes)
		say(s, "RST: %u probe%s without answer, the %s gives up (3.8.4).", rst->probes,
		    tcphs_number_plural(rst->probes), name);
	else if (rst->error == ETIMEDOUT)
		say(s, "RST: no acknowledgement came for too long, the %s gives up (3.8.3).", name);
	else if (rst->fact & TCPHS_FACT_REPLY)
		say(s, "RST: the %s answers a segment that does not fit its state (3.5.2).", name);
	else
		say(s, "RST: the %s aborts the connection (3.10.5).", name);
}

/* A socket that is not open yet, and stays, or a request. */
static void say_rst_opening(struct tcphs_saying *s)
{
	const char *name = who(s, s->step->from);

	if (s->i && tcphs_answer_overflows(s->c, s->i - 1)) {
		say(s, "RST: the %s's accept queue has no room for the connection (net.ipv4.tcp_abort_on_overflow).",
		    name);
		return;
	}
	say(s, "RST: the %s answers a segment that does not fit its state (3.5.2).", name);
	if (s->step->after[s->step->from] == TCPHS_SYN_SENT)
		say(s, "It stays in SYN_SENT. If the other end still had an old connection, that is over now, and the SYN may be taken when it comes again (3.5.1).");
}

/* A raw socket's RST has none either, and is no answer. */
static void say_rst_no_socket(struct tcphs_saying *s)
{
	const struct tcphs_step *step = s->step;

	if (!s->c->itself && s->x->first[!step->from] > s->i)
		say(s, "RST: no socket sent it, and nothing is recorded that it would answer (3.5.2); it may be a raw socket's.");
	else
		say(s, "RST: no socket for the segment that it answers. %s (3.5.2).",
		    step->segment.flags & TCPHS_ACK ?
		    "That had no ACK, so this one has seq=0 and acknowledges it" :
		    "seq is that segment's ack, the only number that is believed");
}

/* The answer of CLOSED to a SYN: it acknowledges all that is in it (RFC 9293, 3.10.7.1). */
static void say_rst_refused(struct tcphs_saying *s)
{
	const struct tcphs_segment *g = &s->step->segment;
	size_t i = s->x->syn[TCPHS_CLIENT];
	const struct tcphs_segment *syn = i == TCPHS_SAYING_NONE ? NULL :
								   &s->c->steps[i].segment;
	bool fin = syn && syn->flags & TCPHS_FIN;
	char data[40] = "";

	say(s, "RST: nobody listens on this port, or a firewall says so, and the SYN is refused (3.5.2).");
	if (s->step->kind != TCPHS_STEP_SEGMENT || !(g->flags & TCPHS_ACK))
		return;
	if (!syn || g->ack != syn->seq + 1 + syn->len + fin) {
		say(s, "There is no connection to take a number from: seq=0.");
		return;
	}
	if (syn->len)
		snprintf(data, sizeof(data), " and the SYN's %" PRIu32 " byte%s", syn->len,
			 tcphs_number_plural(syn->len));
	say(s, "There is no connection to take numbers from: seq=0, and ack=%" PRIu32
	    ", the client's ISN + 1%s%s, shows that it answers this SYN.",
	    shown(s, TCPHS_CLIENT, g->ack), data, fin ? " and 1 for its FIN" : "");
}

/* It came, and the socket there lives on. */
static bool is_ignored(const struct tcphs_saying *s)
{
	const struct tcphs_step *step = s->step;
	unsigned int to = !step->from;

	return step->kind == TCPHS_STEP_SEGMENT && step->received &&
	       !step->entered[to].count && lives(step->after[to]) &&
	       step->after[to] != TCPHS_TIME_WAIT && tcphs_clue_ends_nothing(s->c, step);
}

static void say_rst_ignored(struct tcphs_saying *s)
{
	if (s->step->after[!s->step->from] == TCPHS_SYN_SENT)
		say(s, "It does not acknowledge the SYN, so it ends nothing (3.10.7.3).");
	else
		say(s, "Its number is not exactly the next one, so it ends nothing; inside the window it is answered by a challenge ACK (RFC 5961, 3).");
}

static void say_rst(struct tcphs_saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	const struct tcphs_connection *c = s->c;
	unsigned int from = step->from;
	bool segment = step->kind == TCPHS_STEP_SEGMENT;
	const struct tcphs_step *own = before(s, from);
	bool told = tcphs_clue_is_told(c, s->i), no_socket = tcphs_clue_no_socket(c, step);

	if (step->foreign) {
		say(s, "A RST that the %s's socket did not send: forged, or from something in between.",
		    who(s, from));
		if (!step->entered[!from].count && lives(step->after[!from]))
			say_rst_ignored(s);
		else if (step->entered[!from].count)
			say(s, "Its number is exactly the next one: it cannot be told from a true one (RFC 5961, 3).");
		return;
	}
	if (c->open == TCPHS_OPEN_REFUSED && from == TCPHS_SERVER) {
		say_rst_refused(s);
		return;
	}
	if (!told && no_socket && own && tcphs_clue_is_rst(own) && tcphs_clue_no_socket(c, own)) {
		say(s, "RST: once more a segment without a socket.");
		return;
	}
	if (told || (c->side[from].rst_sent.known && !(g->mark & TCPHS_SEG_NO_SOCKET)))
		say_rst_reason(s);
	else if (no_socket)
		say_rst_no_socket(s);
	else if (segment && step->sent && g->mark & TCPHS_SEG_NO_SOCKET)
		say_rst_opening(s);
	else if (is_ignored(s))
		say(s, "RST: from the %s's end, or forged in its name.", who(s, from));
	else
		say(s, "RST: the %s's end breaks the connection off (3.5.2).", who(s, from));
	if (is_ignored(s))
		say_rst_ignored(s);
	else if (!segment)
		say(s, "The segment is not recorded; the socket tells of it.");
	else
		say(s, "It takes no number, and is never answered.");
}

/* ---- steps ---------------------------------------------------------------- */

/* Out of a connection their answer tells a scanner whether somebody listens. */
static void say_odd_flags(struct tcphs_saying *s)
{
	const struct tcphs_step *step = s->step;
	unsigned int set = step->segment.flags;
	char flags[TCPHS_NAMES_FLAGS_SIZE];

	say(s, "No TCP sends these flags (%s): a scanner made this segment.",
	    tcphs_names_flags(set, flags));
	if (set & TCPHS_RST)
		say(s, "Linux goes by the RST in it.");
	else if (!(set & TCPHS_ACK) && !lives(step->after[!step->from]))
		say(s, "Linux drops it where somebody listens, and answers with a RST where nobody does (3.10.7.1).");
}

static void say_segment(struct tcphs_saying *s)
{
	const struct tcphs_step *step = s->step;
	const struct tcphs_segment *g = &step->segment;
	bool syn = g->flags & TCPHS_SYN, fin = g->flags & TCPHS_FIN;
	char flags[TCPHS_NAMES_FLAGS_SIZE];

	if ((syn && (fin || g->flags & TCPHS_RST)) ||
	    !(g->flags & (TCPHS_SYN | TCPHS_ACK | TCPHS_RST))) {
		say_odd_flags(s);
		return;
	}
	if (g->flags & TCPHS_RST) {
		say_rst(s);
	} else if (step->foreign && (!syn || g->flags & TCPHS_ACK)) {
		say(s, "%s that the %s's socket did not send: forged, or from something in between.",
		    tcphs_names_flags(g->flags, flags), who(s, step->from));
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
	if (tcphs_answer_overflows(s->c, s->i))
		say(s, "The accept queue is full: Linux %s, until a process calls accept() (net.core.somaxconn, listen()).",
		    tcphs_answer_aborts(s->c, s->i) ?
		    "answers with a RST (net.ipv4.tcp_abort_on_overflow)" : "drops it");
	if (step->lost)
		say(s, "It never came to the other end.");
}

static void find(size_t *place, size_t i)
{
	if (*place == TCPHS_SAYING_NONE)
		*place = i;
}

/* A FIN that is the first to acknowledge the other one; where records are lost, who knows. */
static void find_fin_in_one(struct tcphs_explain *x)
{
	unsigned int side;

	for (side = 0; side < 2 && x->c->whole != TCPHS_WHOLE_LOSSY; side++)
		if (x->fin[side] != TCPHS_SAYING_NONE && x->fin[side] == x->fin_ack[side] &&
		    x->fin[!side] < x->fin[side] &&
		    !tcphs_clue_acked_before(x->c, !side, &x->c->steps[x->fin[side]]))
			x->fin_in_one = x->fin[side];
}

void tcphs_explain_begin(struct tcphs_explain *x, const struct tcphs_connection *c,
			 bool absolute)
{
	bool client_acked = false;
	unsigned int side;
	size_t i;

	x->c = c;
	x->absolute = absolute;
	x->third = x->ack = x->data = x->fin_in_one = TCPHS_SAYING_NONE;
	for (side = 0; side < 2; side++)
		x->first[side] = x->syn[side] = x->synack[side] = x->fin[side] =
			x->fin_ack[side] = TCPHS_SAYING_NONE;
	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];
		const struct tcphs_segment *g = &step->segment;
		unsigned int from = step->from;

		if (step->kind != TCPHS_STEP_SEGMENT)
			continue;
		find(&x->first[from], i);
		if (step->foreign || g->flags & TCPHS_RST || tcphs_clue_is_stale(c, step))
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
	find_fin_in_one(x);
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
		if (len + sizeof(name) <= TCPHS_SAYING_SIZE) {
			memmove(p + sizeof(name), p + 1, strlen(p + 1) + 1);
			memcpy(p + 1, name, sizeof(name) - 1);
		}
		return;
	}
}

char *tcphs_explain_step(const struct tcphs_explain *x, size_t i, unsigned int parts)
{
	struct tcphs_saying s = { .x = x, .c = x->c, .step = &x->c->steps[i], .i = i };

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
	tcphs_change_say(&s, parts);
	name_rfc(s.text);
	return *s.text ? tcphs_memory_text(s.text) : NULL;
}

const char *tcphs_explain_data(void)
{
	return "Data: each byte takes one number, so seq and ack move on by as many (RFC 9293, 3.4). Its segments are recorded with segments=all.";
}
