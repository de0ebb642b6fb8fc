// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "names.h"
#include "number.h"
#include "stranger.h"

/* How far along its life a socket is; no state follows one of a higher number. */
static unsigned int age(unsigned int state)
{
	switch (state) {
	case TCPHS_SYN_SENT:
		return 1;
	case TCPHS_SYN_RECV:
		return 2;
	case TCPHS_ESTABLISHED:
		return 3;
	case TCPHS_FIN_WAIT1:
	case TCPHS_CLOSE_WAIT:
		return 4;
	case TCPHS_FIN_WAIT2:
	case TCPHS_CLOSING:
	case TCPHS_LAST_ACK:
		return 5;
	case TCPHS_TIME_WAIT:
		return 6;
	}
	return 0;
}

bool tcphs_stranger_transition(const struct tcphs_end *e, const struct tcphs_transition *t)
{
	if (age(t->old) && age(t->old) < age(e->state))
		return true;
	if (t->has & TCPHS_HAS_BIRTH)
		return false;
	return (t->has & TCPHS_HAS_IRS && e->irs_known && t->nr.irs != e->irs) ||
	       (t->has & TCPHS_HAS_ISS && e->iss_known && !e->cookie &&
		t->nr.iss != e->iss);
}

bool tcphs_stranger_segment(const struct tcphs_end *e, const struct tcphs_segment *s)
{
	bool out = s->mark & TCPHS_SEG_OUT;
	size_t i;

	if (!(s->flags & TCPHS_ACK))
		return false;
	/* TIME_WAIT has sent its FIN, and a mini-socket sends none again. */
	if (out && s->flags & TCPHS_FIN && e->state == TCPHS_TIME_WAIT)
		return true;
	/* Another SYN may have had data of its own: RFC 7413. */
	if (s->flags & TCPHS_SYN &&
	    (out ? e->irs_known && s->ack - e->irs - 1 > 0xffff :
		   e->iss_known && s->ack - e->iss - 1 > 0xffff))
		return true;
	for (i = 0; i < e->records && !out; i++) {
		const struct tcphs_segment *fin = &e->record[i].segment;

		if (e->record[i].kind == TCPHS_SEGMENT && fin->mark & TCPHS_SEG_OUT &&
		    fin->flags & TCPHS_FIN)
			return tcphs_number_before(fin->seq + fin->len + 1, s->ack);
	}
	return false;
}
