// SPDX-License-Identifier: GPL-2.0
/* `tcphs events`: the records, one row each. */
#include <stdio.h>

#include "address.h"
#include "clock.h"
#include "command.h"
#include "filter.h"
#include "flow.h"
#include "gap.h"
#include "hold.h"
#include "input.h"
#include "json.h"
#include "message.h"
#include "names.h"
#include "number.h"
#include "options.h"
#include "output.h"
#include "owner.h"
#include "stop.h"
#include "writer.h"

struct events {
	const struct tcphs_settings *s;
	struct tcphs_output output;
	struct tcphs_writer row;
	struct tcphs_clock clock;
	const struct tcphs_hosts *hosts;
	struct tcphs_flow *flow;	/* knows each connection's ISNs */
	uint64_t printed;
};

/* ---- a row as text -------------------------------------------------------- */

static const char *or_unknown(const char *name)
{
	return name ? name : "?";
}

/* A name and its number. */
static __always_inline void write_pair(struct tcphs_writer *w, const char *name,
				       uint64_t number)
{
	tcphs_writer_text(w, name);
	tcphs_writer_number(w, number);
}

/* "python3/201" */
static void write_process(struct tcphs_writer *w, const char *name, uint32_t pid)
{
	char comm[32];

	tcphs_writer_text(w, tcphs_output_clean(name, comm, sizeof(comm)));
	write_pair(w, "/", pid);
}

static void print_transition(struct tcphs_writer *w, const struct tcphs_transition *t)
{
	tcphs_writer_text(w, or_unknown(tcphs_names_state(t->old)));
	tcphs_writer_text(w, " -> ");
	tcphs_writer_text(w, or_unknown(tcphs_names_state(t->new)));
	if (t->via != TCPHS_VIA_TRACEPOINT) {
		tcphs_writer_text(w, " via ");
		tcphs_writer_text(w, or_unknown(tcphs_names_via(t->via)));
	}
	if (t->has & TCPHS_HAS_OWNER) {
		tcphs_writer_text(w, " by ");
		write_process(w, t->comm, t->pid);
	}
	if (t->has & TCPHS_HAS_BIRTH && t->new == TCPHS_LISTEN)
		write_pair(w, " backlog ", t->birth.backlog);
	if (t->new == TCPHS_CLOSE && t->error) {
		tcphs_writer_char(w, ' ');
		tcphs_writer_text(w, or_unknown(tcphs_names_error(t->error)));
	}
}

static void print_segment(struct tcphs_writer *w, const struct tcphs_segment *s,
			  bool iss_known, uint32_t iss, bool irs_known, uint32_t irs)
{
	bool out = s->mark & TCPHS_SEG_OUT, syn = s->flags & TCPHS_SYN;
	char flags[TCPHS_NAMES_FLAGS_SIZE];
	struct tcphs_options o;
	uint32_t seq = s->seq, ack = s->ack;

	if (tcphs_number_mixes(s, iss_known, irs_known))
		iss_known = irs_known = false;
	/* The ISN itself is shown as it is, so that it can be found again. */
	if (!syn && (out ? iss_known : irs_known) && !tcphs_number_is_none(s))
		seq -= out ? iss : irs;
	if (out ? irs_known : iss_known)
		ack -= out ? irs : iss;
	tcphs_writer_text(w, tcphs_names_flags(s->flags, flags));
	write_pair(w, " seq=", seq);
	if (s->flags & TCPHS_ACK)
		write_pair(w, " ack=", ack);
	write_pair(w, " win=", s->win);
	write_pair(w, " len=", s->len);
	tcphs_options_decode(s, &o);
	if (syn && o.has_mss)
		write_pair(w, " mss ", o.mss);
	if (o.sack_permitted)
		tcphs_writer_text(w, " sack");
	if (o.has_wscale)
		write_pair(w, " wscale ", o.wscale);
	if (o.has_timestamps) {
		write_pair(w, " ts ", o.tsval);
		write_pair(w, " ", o.tsecr);
	}
	if (o.has_fastopen)
		tcphs_writer_text(w, o.cookie_len ? " fastopen cookie" : " fastopen request");
	if (o.mptcp)
		tcphs_writer_text(w, " mptcp");
	if (s->mark & TCPHS_SEG_RETRANSMIT)
		tcphs_writer_text(w, " (again)");
	if (s->mark & TCPHS_SEG_COOKIE)
		tcphs_writer_text(w, " (SYN cookie)");
	if (s->mark & TCPHS_SEG_NO_SOCKET)
		tcphs_writer_text(w, " (no socket)");
}

static void print_reset(struct tcphs_writer *w, const struct tcphs_reset *r)
{
	const char *reason = r->reason == TCPHS_REASON_UNKNOWN ? NULL :
								 tcphs_names_reason(r->reason);

	tcphs_writer_text(w, r->out ? "reset sent in " : "reset received in ");
	tcphs_writer_text(w, or_unknown(tcphs_names_state(r->state)));
	if (r->out && r->unread) {
		write_pair(w, " ", r->unread);
		tcphs_writer_text(w, " byte");
		tcphs_writer_text(w, tcphs_number_plural(r->unread));
		tcphs_writer_text(w, " unread");
	}
	if (r->out && r->fact & TCPHS_FACT_LINGER)
		tcphs_writer_text(w, " SO_LINGER 0");
	if (r->probes) {
		write_pair(w, " ", r->probes);
		tcphs_writer_text(w, " probe");
		tcphs_writer_text(w, tcphs_number_plural(r->probes));
	}
	if (r->error) {
		tcphs_writer_char(w, ' ');
		tcphs_writer_text(w, or_unknown(tcphs_names_error(r->error)));
	}
	if (reason) {
		tcphs_writer_char(w, ' ');
		tcphs_writer_text(w, reason);
	}
}

static void print_lost(struct events *v, const struct tcphs_record *r)
{
	char span[TCPHS_GAP_TEXT];

	tcphs_writer_text(&v->row, tcphs_output_paint(&v->output, TCPHS_PAINT_BAD));
	tcphs_writer_word(&v->row, tcphs_gap_count(r, span));
	write_pair(&v->row, " lost on CPU ", r->cpu);
	tcphs_writer_text(&v->row, tcphs_gap_text(r, span));
	tcphs_writer_text(&v->row, tcphs_output_plain(&v->output));
}

static void print_ends(struct tcphs_writer *w, const struct tcphs_record *r)
{
	char name[TCPHS_ADDRESS_SIZE];
	struct tcphs_tuple t;

	tcphs_address_tuple(r, &t);
	tcphs_writer_text(w, t.lport ? tcphs_address_end(t.local, t.inet6, t.lport, name) : "?");
	if (r->kind == TCPHS_SEGMENT)
		tcphs_writer_text(w, r->segment.mark & TCPHS_SEG_OUT ? " > " : " < ");
	else
		tcphs_writer_text(w, t.rport ? " - " : " ");
	if (t.rport)
		tcphs_writer_text(w, tcphs_address_end(t.remote, t.inet6, t.rport, name));
	tcphs_writer_text(w, ": ");
}

static void print_record(struct events *v, const struct tcphs_record *r)
{
	struct tcphs_writer *w = &v->row;
	char owner[TCPHS_OWNER_SIZE];
	const struct tcphs_end *e;

	print_ends(w, r);
	switch (r->kind) {
	case TCPHS_TRANSITION:
		print_transition(w, &r->transition);
		break;
	case TCPHS_SEGMENT:
		e = v->flow ? tcphs_flow_find(v->flow, r) : NULL;
		print_segment(w, &r->segment, e && e->iss_known, e ? e->iss : 0,
			      e && e->irs_known, e ? e->irs : 0);
		break;
	case TCPHS_RESET:
		print_reset(w, &r->reset);
		break;
	case TCPHS_DESTROY:
		tcphs_writer_text(w, "destroyed");
		break;
	case TCPHS_ACCEPT:
		tcphs_writer_text(w, "accepted by ");
		write_process(w, r->accept.comm, r->accept.pid);
		break;
	}
	if (!v->s->owner)
		return;
	tcphs_owner_record(r, tcphs_host_netns(v->hosts, r->netns), owner);
	if (*owner) {
		tcphs_writer_text(w, " (");
		tcphs_writer_text(w, owner);
		tcphs_writer_char(w, ')');
	}
}

static void print_text(struct events *v, const struct tcphs_record *r)
{
	const struct tcphs_host *host = tcphs_host_of(v->hosts, r->netns);
	struct tcphs_writer *w = &v->row;
	char time[TCPHS_CLOCK_SIZE];

	tcphs_clock_row(&v->clock, r->ts, time);
	if (*time) {
		tcphs_writer_text(w, tcphs_output_paint(&v->output, TCPHS_PAINT_DIM));
		tcphs_writer_text(w, time);
		tcphs_writer_text(w, tcphs_output_plain(&v->output));
		tcphs_writer_char(w, ' ');
	}
	if (tcphs_host_several(v->hosts) && host) {
		tcphs_writer_text(w, host->name);
		tcphs_writer_text(w, ": ");
	}
	if (r->kind == TCPHS_LOST)
		print_lost(v, r);
	else
		print_record(v, r);
	tcphs_writer_char(w, '\n');
	tcphs_writer_flush(w);
}

static bool enough(const struct events *v)
{
	return (v->s->count && v->printed >= v->s->count) || tcphs_output_gone();
}

static void print(void *arg, const struct tcphs_record *r)
{
	struct events *v = arg;
	struct tcphs_tuple t;

	/* Which connection it belongs to is known after feeding it. */
	if (v->flow)
		tcphs_flow_feed(v->flow, r);
	if (enough(v))
		return;
	if (r->kind != TCPHS_LOST) {
		tcphs_address_tuple(r, &t);
		if ((v->s->netns && tcphs_host_netns(v->hosts, r->netns) != v->s->netns) ||
		    !tcphs_filter_match(v->s->filter, &t))
			return;
	}
	if (v->s->json)
		tcphs_json_record(r, v->hosts);
	else
		print_text(v, r);
	v->printed++;
}

static void forget(void *arg, const struct tcphs_end *a, const struct tcphs_end *b)
{
	(void)arg;
	(void)a;
	(void)b;
}

/* Who was behind has stopped before it had told them. */
static void say_left(const struct events *v, const struct tcphs_input *source)
{
	size_t left = tcphs_input_left(source);

	if (v->s->follow && !v->s->nfiles && left && tcphs_stop_asked() && !enough(v))
		tcphs_message_print("%zu record%s not told yet", left,
				    tcphs_number_plural(left));
}

int tcphs_events_run(const struct tcphs_settings *s)
{
	struct events v = { .s = s, .row.to = stdout };
	struct tcphs_input *source;
	struct tcphs_record r;
	struct tcphs_hold *hold;
	bool done = false;
	int status;

	source = tcphs_input_open(s, s->follow, &status);
	if (!source)
		return status;
	tcphs_output_init(&v.output, s);
	v.hosts = tcphs_input_hosts(source);
	if (s->json)
		tcphs_json_hosts(v.hosts);
	else
		tcphs_output_hosts(&v.output, v.hosts);
	v.clock.times = s->times;
	v.clock.wall_offset = tcphs_input_header(source)->wall_offset;
	if (!s->json && !s->absolute)
		v.flow = tcphs_flow_new(true, forget, NULL);
	hold = tcphs_hold_new(print, &v);
	tcphs_hold_hosts(hold, v.hosts);
	if (s->follow) {
		tcphs_output_begin_pace();
		tcphs_stop_catch(s->seconds);
	}
	while (!done && !enough(&v)) {
		enum tcphs_source_result result = tcphs_input_read(source, &r);

		switch (result) {
		case TCPHS_SOURCE_END:
			done = true;
			break;
		case TCPHS_SOURCE_IDLE:
			tcphs_hold_idle(hold, tcphs_stop_now());
			break;
		case TCPHS_SOURCE_RECORD:
			done = s->follow && tcphs_stop_reached(s->nfiles ? 0 : r.ts);
			if (!done)
				tcphs_hold_feed(hold, &r);
			break;
		}
		if (s->follow)
			done |= (result != TCPHS_SOURCE_RECORD && tcphs_stop_asked()) ||
				!tcphs_output_pace(result == TCPHS_SOURCE_RECORD ?
						   r.ts : tcphs_stop_now(),
						   result == TCPHS_SOURCE_IDLE, NULL);
	}
	tcphs_hold_finish(hold);
	tcphs_hold_free(hold);
	say_left(&v, source);
	if (v.flow)
		tcphs_flow_free(v.flow);
	return tcphs_input_finish(source, 0, s->strict);
}
