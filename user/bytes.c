// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes are a difference of sequence numbers: from the ISN to the FIN, or to the
 * last number of a side that ended without one. While a side may still send, and
 * its data is not recorded, nobody knows.
 */
#include "bytes.h"
#include "names.h"
#include "number.h"

/* Left this end, and its socket sent it, if it has one. */
static bool is_out(const struct tcphs_end *e, const struct tcphs_record *r)
{
	return r->kind == TCPHS_SEGMENT && r->segment.mark & TCPHS_SEG_OUT &&
	       !(e->full && r->segment.mark & TCPHS_SEG_NO_SOCKET);
}

static bool is_in(const struct tcphs_record *r)
{
	return r->kind == TCPHS_SEGMENT && !(r->segment.mark & TCPHS_SEG_OUT);
}

/* A transition that changes the state and has this number. */
static bool changes(const struct tcphs_record *r, unsigned int has)
{
	const struct tcphs_transition *t = &r->transition;

	return r->kind == TCPHS_TRANSITION && t->old != t->new &&
	       !(t->has & TCPHS_HAS_BIRTH) && t->has & has;
}

/* The number after the segment; with a SYN a FIN ends no direction, and is left out. */
static uint32_t after(const struct tcphs_segment *s)
{
	return s->seq + s->len + !!(s->flags & (TCPHS_SYN | TCPHS_FIN));
}

static void set_fin(struct tcphs_side *side, uint32_t fin)
{
	if (side->fin_known)
		return;
	side->fin = fin;
	side->fin_known = true;
}

/* Data can have been sent: it got as far as that. */
static bool may_have_sent(const struct tcphs_end *e)
{
	size_t i;

	for (i = 0; i < e->records; i++)
		if (e->record[i].kind == TCPHS_TRANSITION &&
		    (e->record[i].transition.new == TCPHS_ESTABLISHED ||
		     e->record[i].transition.old == TCPHS_ESTABLISHED ||
		     e->record[i].transition.new == TCPHS_FIN_WAIT1))
			return true;
	return false;
}

/* Of whoever sent to or from this end: the segments that are here have the last number. */
static bool has_last(const struct tcphs_end *e, const struct tcphs_context *x)
{
	return e->born && !e->lossy &&
	       (x->segments == TCPHS_SEGMENTS_ALL || !may_have_sent(e));
}

/* The highest number after a segment that left (or came to) this end. */
static bool highest(const struct tcphs_end *e, bool out, uint32_t *next)
{
	bool known = false;
	size_t i;

	for (i = 0; i < e->records; i++) {
		const struct tcphs_record *r = &e->record[i];

		if (!(out ? is_out(e, r) : is_in(r)) || r->segment.flags & TCPHS_RST)
			continue;
		if (!known || tcphs_number_before(*next, after(&r->segment)))
			*next = after(&r->segment);
		known = true;
	}
	return known;
}

/*
 * Numbers are modulo 2^32; what was counted without that has the rest, but perhaps a FIN too,
 * or not what was never sent. 0: nobody counted.
 */
static void set_bytes(struct tcphs_side *side, uint32_t next, uint64_t counted)
{
	uint32_t bytes = next - side->isn - 1;
	uint64_t nearest = counted + (int32_t)(bytes - (uint32_t)counted);

	side->bytes_known = true;
	if (!(nearest >> 63))
		side->bytes = nearest;
	else	/* Before the SYN went out, snd_nxt is the ISN itself. */
		side->bytes = next == side->isn ? 0 : bytes;
}

/* What the socket of this end counted; NULL: it is not gone, or was not seen to be. */
static const struct tcphs_destroy *find_destroy(const struct tcphs_end *e)
{
	size_t i;

	for (i = e->records; i-- > 0;)
		if (e->record[i].kind == TCPHS_DESTROY)
			return &e->record[i].destroy;
	return NULL;
}

/*
 * How far the numbers after `isn` came that this end's segments had, one by one: its own, or
 * those that it acknowledged. 0: not all are here.
 */
static uint64_t count_segments(const struct tcphs_end *e, const struct tcphs_context *x,
			       bool own, uint32_t isn)
{
	uint64_t count = 0;
	size_t i;

	if (x->segments != TCPHS_SEGMENTS_ALL || !e->born || e->lossy)
		return 0;
	for (i = 0; i < e->records; i++) {
		const struct tcphs_segment *s = &e->record[i].segment;
		uint32_t more;

		if (!is_out(e, &e->record[i]) || s->flags & TCPHS_RST ||
		    !(own || s->flags & TCPHS_ACK))
			continue;
		more = (own ? after(s) : s->ack) - isn - (uint32_t)count;
		if (!(more >> 31))
			count += more;
	}
	return count;
}

/* ---- what the end itself says --------------------------------------------- */

/* In these states its FIN is queued, and write_seq is the number after it. */
static bool fin_queued(unsigned int state)
{
	return state == TCPHS_FIN_WAIT1 || state == TCPHS_FIN_WAIT2 ||
	       state == TCPHS_CLOSING || state == TCPHS_LAST_ACK;
}

static void find_fin(struct tcphs_side *side, const struct tcphs_end *e)
{
	size_t i;

	for (i = 0; i < e->records; i++) {
		const struct tcphs_record *r = &e->record[i];
		const struct tcphs_transition *t = &r->transition;

		if (is_out(e, r) && (r->segment.flags & (TCPHS_FIN | TCPHS_SYN)) == TCPHS_FIN)
			set_fin(side, r->segment.seq + r->segment.len);
		/* Here write_seq is the FIN's: uapi/tcphs.h. */
		else if (changes(r, TCPHS_HAS_WRITE_SEQ) &&
			 (t->new == TCPHS_FIN_WAIT1 || t->new == TCPHS_LAST_ACK))
			set_fin(side, t->nr.write_seq);
		/* It has just been acknowledged. */
		else if (changes(r, TCPHS_HAS_SND_UNA) && t->old == TCPHS_FIN_WAIT1 &&
			 t->new == TCPHS_FIN_WAIT2)
			set_fin(side, t->nr.snd_una - 1);
		else if (changes(r, TCPHS_HAS_WRITE_SEQ) && fin_queued(t->old))
			set_fin(side, t->nr.write_seq - 1);
		/* What a TIME_WAIT mini-socket stands for has had it acknowledged. */
		else if (r->kind == TCPHS_TRANSITION && t->via == TCPHS_VIA_TIMEWAIT &&
			 t->has & TCPHS_HAS_SND_NXT)
			set_fin(side, t->nr.snd_nxt - 1);
	}
}

/*
 * snd_nxt of the socket's end: nothing was sent after it. Where a FIN was sent it is behind
 * that, if it had left; and a request's end is none where a socket may have taken over.
 */
static bool final_number(const struct tcphs_end *e, uint32_t *next)
{
	bool known = false;
	size_t i;

	for (i = 0; i < e->records; i++) {
		const struct tcphs_record *r = &e->record[i];

		if (changes(r, TCPHS_HAS_SND_NXT) && r->transition.new == TCPHS_CLOSE &&
		    !fin_queued(r->transition.old) &&
		    !(r->transition.via == TCPHS_VIA_REQUEST &&
		      (e->full || !e->born || e->lossy))) {
			*next = r->transition.nr.snd_nxt;
			known = true;
		}
	}
	return known;
}

void tcphs_bytes_tell(struct tcphs_side *side, const struct tcphs_end *e,
		      const struct tcphs_context *x)
{
	const struct tcphs_destroy *d = find_destroy(e);
	uint64_t counted = 0;
	uint32_t next = 0;

	if (d) {
		side->retransmits_known = true;
		side->retransmits = d->retransmits;
		counted = d->bytes_sent - d->bytes_retrans;
	}
	find_fin(side, e);
	if (side->isn_known &&
	    (side->fin_known || final_number(e, &next) ||
	     (has_last(e, x) && highest(e, true, &next)))) {
		set_bytes(side, side->fin_known ? side->fin : next,
			  d ? counted : count_segments(e, x, true, side->isn));
	} else if (d) {
		side->bytes_known = true;
		side->bytes = counted;
	}
}

/* ---- what the other end saw of it ----------------------------------------- */

static void find_remote_fin(struct tcphs_side *side, const struct tcphs_end *peer)
{
	size_t i;

	/* These states have had the other side's FIN. */
	for (i = 0; i < peer->records; i++) {
		const struct tcphs_record *r = &peer->record[i];
		unsigned int old = r->transition.old, new = r->transition.new;

		if (changes(r, TCPHS_HAS_RCV_NXT) &&
		    (new == TCPHS_CLOSE_WAIT || new == TCPHS_CLOSING ||
		     new == TCPHS_TIME_WAIT || old == TCPHS_CLOSE_WAIT ||
		     old == TCPHS_CLOSING || old == TCPHS_LAST_ACK ||
		     old == TCPHS_TIME_WAIT))
			set_fin(side, r->transition.nr.rcv_nxt - 1);
	}
	/* One that no state tells of may be forged, or not have fitted. */
	for (i = 0; i < peer->records; i++) {
		const struct tcphs_record *r = &peer->record[i];

		if (is_in(r) && (r->segment.flags & (TCPHS_FIN | TCPHS_SYN)) == TCPHS_FIN)
			set_fin(side, r->segment.seq + r->segment.len);
	}
}

/*
 * The RST that ended the socket says how far its sender had come; but one that has no ACK
 * has the number which it answers, and that is only as far as came here.
 */
static bool rst_number(const struct tcphs_end *peer, uint32_t *next)
{
	bool whole = peer->born && !peer->lossy;
	size_t i;

	for (i = 0; i < peer->records; i++) {
		const struct tcphs_record *r = &peer->record[i];

		if (r->kind == TCPHS_RESET && !r->reset.out && i &&
		    is_in(&peer->record[i - 1]) &&
		    peer->record[i - 1].segment.flags & TCPHS_RST &&
		    peer->record[i - 1].segment.seq &&
		    (whole || peer->record[i - 1].segment.flags & TCPHS_ACK)) {
			*next = peer->record[i - 1].segment.seq;
			return true;
		}
	}
	return false;
}

void tcphs_bytes_tell_remote(struct tcphs_side *side, const struct tcphs_end *peer,
			     const struct tcphs_context *x)
{
	const struct tcphs_destroy *d = find_destroy(peer);
	uint64_t counted;
	uint32_t next = 0;

	find_remote_fin(side, peer);
	if (!side->isn_known)
		return;
	counted = d ? d->bytes_received : count_segments(peer, x, false, side->isn);
	if (side->bytes_known) {
		/* Its own socket has counted, or this one has counted further. */
		if (!side->retransmits_known && counted > side->bytes)
			set_bytes(side, side->fin_known ? side->fin :
				  side->isn + 1 + (uint32_t)side->bytes, counted);
		return;
	}
	/* A side whose socket is here and open still counts for itself. */
	if (side->fin_known)
		set_bytes(side, side->fin, counted);
	else if (!side->socket && rst_number(peer, &next))
		set_bytes(side, next, counted);
	else if (!side->socket && has_last(peer, x) && highest(peer, false, &next))
		set_bytes(side, next, counted);
}
