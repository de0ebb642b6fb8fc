// SPDX-License-Identifier: GPL-2.0
/* What was sent more than once. */
#include <stdlib.h>

#include "copies.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "table.h"

static enum tcphs_copies kind_of(const struct tcphs_segment *s)
{
	if (s->flags & TCPHS_SYN)
		return s->flags & TCPHS_ACK ? TCPHS_COPIES_SYNACK : TCPHS_COPIES_SYN;
	return s->flags & TCPHS_FIN ? TCPHS_COPIES_FIN : TCPHS_COPIES_DATA;
}

/*
 * A sender's own sight is in the order of sending; an arrival may be late instead,
 * and only counts when it is the very same segment once more.
 */
void tcphs_copies_mark(struct tcphs_connection *c)
{
	bool known[2] = { false, false }, synacked[2] = { false, false };
	uint32_t top[2] = { 0, 0 };
	struct tcphs_table seen = { 0 };
	struct tcphs_table_link *link = NULL;
	size_t i;

	for (i = 0; i < TCPHS_COPIES_KINDS; i++)
		c->copies[i] = 0;
	/* Only of what was not seen leaving is it asked whether it came before. */
	for (i = 0; i < c->nsteps && !link; i++)
		if (c->steps[i].kind == TCPHS_STEP_SEGMENT && !c->steps[i].sent)
			link = tcphs_memory_get(c->nsteps, sizeof(*link));
	for (i = 0; i < c->nsteps; i++) {
		struct tcphs_step *step = &c->steps[i];
		const struct tcphs_segment *s = &step->segment;
		unsigned int from = step->from;
		uint32_t end;
		uint64_t key;

		if (step->kind != TCPHS_STEP_SEGMENT || s->flags & TCPHS_RST ||
		    step->foreign)
			continue;
		/* A forged segment's numbers say nothing of what the socket sent. */
		if (!step->sent && c->side[from].seen && !c->itself &&
		    c->whole == TCPHS_WHOLE_COMPLETE)
			continue;
		end = s->seq + s->len + !!(s->flags & TCPHS_SYN) +
		      !!(s->flags & TCPHS_FIN);
		if (end == s->seq)
			continue;
		key = ((uint64_t)s->seq << 32 | s->len) * 0x9e3779b97f4a7c15ULL ^
		      (from + 1) * 0xff51afd7ed558ccdULL ^ (s->flags & 0x17);
		/* The table takes the low bits, where the number is not yet. */
		key ^= key >> 32;
		if (step->sent)
			step->retransmit |= known[from] &&
					    !tcphs_number_before(top[from], end);
		else if (!step->sent)
			step->again = tcphs_table_first(&seen, key) != NULL;
		/*
		 * In a simultaneous open, SYN,ACK is another segment than SYN. A request
		 * sends no SYN: where records are missing it may be a copy.
		 */
		if (kind_of(s) == TCPHS_COPIES_SYNACK) {
			if (!synacked[from] &&
			    (c->whole == TCPHS_WHOLE_COMPLETE ||
			     !(s->mark & TCPHS_SEG_MINI)))
				step->retransmit = false;
			synacked[from] = true;
		}
		step->retransmit |= step->again;
		if (link)
			tcphs_table_add(&seen, &link[i], key);
		if (!known[from] || tcphs_number_before(top[from], end))
			top[from] = end;
		known[from] = true;
		if (step->retransmit)
			c->copies[kind_of(s)]++;
	}
	tcphs_table_free(&seen);
	free(link);
}

bool tcphs_copies_is_known(const struct tcphs_connection *c, const struct tcphs_step *step)
{
	return c->whole == TCPHS_WHOLE_COMPLETE || step->retransmit ||
	       (step->sent && !(step->segment.mark & TCPHS_SEG_RETRANSMIT));
}

/*
 * Both ends are here and over, and neither had sent or received a FIN before the records
 * began.
 */
static bool has_all_fins(const struct tcphs_connection *c)
{
	unsigned int side, last;

	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		if (!s->nstates)
			return false;
		last = s->states[s->nstates - 1].state;
		if (last != TCPHS_TIME_WAIT && last != TCPHS_CLOSE)
			return false;
		switch (s->states[0].state) {
		case TCPHS_CLOSE:
		case TCPHS_LISTEN:
		case TCPHS_SYN_SENT:
		case TCPHS_SYN_RECV:
		case TCPHS_ESTABLISHED:
			break;
		default:
			return false;
		}
	}
	return c->whole == TCPHS_WHOLE_PARTIAL;
}

void tcphs_copies_count(struct tcphs_connection *c)
{
	uint64_t total = 0, told;
	unsigned int side;
	bool known = true;
	size_t i;

	/* Copies that are missing count, too. */
	if (!c->segments || c->whole != TCPHS_WHOLE_COMPLETE) {
		for (i = 0; i < TCPHS_COPIES_KINDS; i++)
			if (!c->segments || i != TCPHS_COPIES_FIN || !has_all_fins(c))
				c->copies[i] = -1;
	}
	if (c->all && c->whole == TCPHS_WHOLE_COMPLETE)
		return;
	/* The sockets count all that they sent again; the rest was data. */
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];

		if (!s->socket)
			continue;
		known &= s->retransmits_known;
		total += s->retransmits;
	}
	told = 0;
	for (i = 0; i < TCPHS_COPIES_DATA; i++) {
		known &= c->copies[i] >= 0;
		told += c->copies[i] > 0 ? c->copies[i] : 0;
	}
	/* A side that is elsewhere keeps its count to itself. */
	known &= (c->side[0].socket && c->side[1].socket) || c->itself;
	if (c->itself)
		total /= 2;
	if (known)
		c->copies[TCPHS_COPIES_DATA] = total > told ? total - told : 0;
	else if (!c->all)
		c->copies[TCPHS_COPIES_DATA] = -1;
}
