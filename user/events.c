// SPDX-License-Identifier: GPL-2.0
/* `tcphs events`: the records, one row each. */
#include <inttypes.h>
#include <stdio.h>

#include "address.h"
#include "clock.h"
#include "command.h"
#include "filter.h"
#include "flow.h"
#include "hold.h"
#include "input.h"
#include "json.h"
#include "message.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "owner.h"
#include "stop.h"

struct events {
	const struct tcphs_settings *s;
	struct tcphs_output output;
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

static void print_transition(const struct tcphs_transition *t)
{
	char comm[32];

	printf("%s -> %s", or_unknown(tcphs_names_state(t->old)),
	       or_unknown(tcphs_names_state(t->new)));
	if (t->via != TCPHS_VIA_TRACEPOINT)
		printf(" via %s", tcphs_names_via(t->via));
	if (t->has & TCPHS_HAS_OWNER)
		printf(" by %s/%" PRIu32, tcphs_output_clean(t->comm, comm, sizeof(comm)),
		       t->pid);
	if (t->has & TCPHS_HAS_BIRTH && t->new == TCPHS_LISTEN)
		printf(" backlog %" PRIu32, t->birth.backlog);
	if (t->new == TCPHS_CLOSE && t->error)
		printf(" %s", or_unknown(tcphs_names_error(t->error)));
}

static void print_segment(const struct tcphs_segment *s, bool iss_known, uint32_t iss,
			  bool irs_known, uint32_t irs)
{
	bool out = s->mark & TCPHS_SEG_OUT, syn = s->flags & TCPHS_SYN;
	char flags[TCPHS_NAMES_FLAGS_SIZE];
	struct tcphs_options o;
	uint32_t seq = s->seq, ack = s->ack;

	/* The ISN itself is shown as it is, so that it can be found again. */
	if (!syn && (out ? iss_known : irs_known) && !(s->flags & TCPHS_RST && !seq))
		seq -= out ? iss : irs;
	if (out ? irs_known : iss_known)
		ack -= out ? irs : iss;
	printf("%s seq=%" PRIu32, tcphs_names_flags(s->flags, flags), seq);
	if (s->flags & TCPHS_ACK)
		printf(" ack=%" PRIu32, ack);
	printf(" win=%u len=%" PRIu32, s->win, s->len);
	tcphs_options_decode(s, &o);
	if (syn && o.has_mss)
		printf(" mss %u", o.mss);
	if (o.sack_permitted)
		printf(" sack");
	if (o.has_wscale)
		printf(" wscale %u", o.wscale);
	if (o.has_timestamps)
		printf(" ts %" PRIu32 " %" PRIu32, o.tsval, o.tsecr);
	if (o.has_fastopen)
		printf(" fastopen %s", o.cookie_len ? "cookie" : "request");
	if (o.mptcp)
		printf(" mptcp");
	if (s->mark & TCPHS_SEG_RETRANSMIT)
		printf(" (again)");
	if (s->mark & TCPHS_SEG_COOKIE)
		printf(" (SYN cookie)");
	if (s->mark & TCPHS_SEG_NO_SOCKET)
		printf(" (no socket)");
}

static void print_reset(const struct tcphs_reset *r)
{
	const char *reason = r->reason == TCPHS_REASON_UNKNOWN ? NULL :
								 tcphs_names_reason(r->reason);

	printf("reset %s in %s", r->out ? "sent" : "received",
	       or_unknown(tcphs_names_state(r->state)));
	if (r->out && r->unread)
		printf(" %" PRIu32 " bytes unread", r->unread);
	if (r->out && r->fact & TCPHS_FACT_LINGER)
		printf(" SO_LINGER 0");
	if (r->probes)
		printf(" %u probes", r->probes);
	if (r->error)
		printf(" %s", or_unknown(tcphs_names_error(r->error)));
	if (reason)
		printf(" %s", reason);
}

static void print_text(struct events *v, const struct tcphs_record *r)
{
	char time[TCPHS_CLOCK_SIZE], local[TCPHS_ADDRESS_SIZE] = "?";
	char remote[TCPHS_ADDRESS_SIZE] = "", comm[32], owner[TCPHS_OWNER_SIZE];
	const struct tcphs_host *host = tcphs_host_of(v->hosts, r->netns);
	const struct tcphs_end *e;
	const char *way = " ";
	struct tcphs_tuple t;

	tcphs_clock_row(&v->clock, r->ts, time);
	if (*time)
		printf("%s%s%s ", tcphs_output_paint(&v->output, TCPHS_PAINT_DIM), time,
		       tcphs_output_plain(&v->output));
	if (tcphs_host_several(v->hosts) && host)
		printf("%s: ", host->name);
	if (r->kind == TCPHS_LOST) {
		printf("%s%" PRIu64 " records lost on CPU %u%s\n",
		       tcphs_output_paint(&v->output, TCPHS_PAINT_BAD),
		       (uint64_t)r->lost.count, r->cpu, tcphs_output_plain(&v->output));
		return;
	}
	tcphs_address_tuple(r, &t);
	if (t.lport)
		tcphs_address_end(t.local, t.inet6, t.lport, local);
	if (t.rport)
		tcphs_address_end(t.remote, t.inet6, t.rport, remote);
	if (r->kind == TCPHS_SEGMENT)
		way = r->segment.mark & TCPHS_SEG_OUT ? " > " : " < ";
	else if (t.rport)
		way = " - ";
	printf("%s%s%s: ", local, way, remote);
	switch (r->kind) {
	case TCPHS_TRANSITION:
		print_transition(&r->transition);
		break;
	case TCPHS_SEGMENT:
		e = v->flow ? tcphs_flow_find(v->flow, r) : NULL;
		print_segment(&r->segment, e && e->iss_known, e ? e->iss : 0,
			      e && e->irs_known, e ? e->irs : 0);
		break;
	case TCPHS_RESET:
		print_reset(&r->reset);
		break;
	case TCPHS_DESTROY:
		printf("destroyed");
		break;
	case TCPHS_ACCEPT:
		printf("accepted by %s/%" PRIu32,
		       tcphs_output_clean(r->accept.comm, comm, sizeof(comm)),
		       r->accept.pid);
		break;
	}
	if (v->s->owner && *tcphs_owner_record(r, tcphs_host_netns(v->hosts, r->netns), owner))
		printf(" (%s)", owner);
	putchar('\n');
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

int tcphs_events_run(const struct tcphs_settings *s)
{
	struct events v = { .s = s };
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
			tcphs_hold_feed(hold, &r);
			break;
		}
		if (s->follow)
			done |= tcphs_stop_asked() ||
				!tcphs_output_pace(tcphs_stop_now(),
						   result == TCPHS_SOURCE_IDLE);
	}
	tcphs_hold_finish(hold);
	tcphs_hold_free(hold);
	if (v.flow)
		tcphs_flow_free(v.flow);
	return tcphs_input_finish(source, 0, s->strict);
}
