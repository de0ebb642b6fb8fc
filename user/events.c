// SPDX-License-Identifier: GPL-2.0
/*
 * `tcphs events`: the records, one row each.
 *
 * At its birth a socket does not know its tuple yet: connect() has no port, the
 * child of a listener no peer. Such a record is held back, and what follows it
 * too, until a later record of the same socket tells.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "command.h"
#include "filter.h"
#include "flow.h"
#include "json.h"
#include "memory.h"
#include "message.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "source.h"
#include "stop.h"
#include "table.h"

enum {
	/* A birth that is not told by then stays untold. */
	HELD_MAX = 1 << 16,
};

#define HELD_NS 2000000000ULL		/* of the records' time */
#define HELD_LIVE_NS 250000000ULL	/* of idle time while following */

struct held {
	struct tcphs_table_link link;	/* by sock, while it waits */
	struct tcphs_record record;
	bool waits;
};

struct events {
	const struct tcphs_settings *s;
	struct tcphs_output output;
	struct tcphs_clock clock;
	struct tcphs_flow *flow;	/* knows each connection's ISNs */
	struct tcphs_table waiting;
	struct held *ring[HELD_MAX];
	size_t begin;
	size_t count;
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
	char remote[TCPHS_ADDRESS_SIZE] = "", comm[32];
	const struct tcphs_end *e;
	const char *way = " ";
	struct tcphs_tuple t;

	tcphs_clock_row(&v->clock, r->ts, time);
	if (*time)
		printf("%s%s%s ", tcphs_output_paint(&v->output, TCPHS_PAINT_DIM), time,
		       tcphs_output_plain(&v->output));
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
	putchar('\n');
}

static bool enough(const struct events *v)
{
	return v->s->count && v->printed >= v->s->count;
}

static void print(struct events *v, const struct tcphs_record *r)
{
	struct tcphs_tuple t;

	/* Which connection it belongs to is known after feeding it. */
	if (v->flow)
		tcphs_flow_feed(v->flow, r);
	if (enough(v))
		return;
	if (r->kind != TCPHS_LOST) {
		tcphs_address_tuple(r, &t);
		if ((v->s->netns && r->netns != v->s->netns) ||
		    !tcphs_filter_match(v->s->filter, &t))
			return;
	}
	if (v->s->json)
		tcphs_json_record(r);
	else
		print_text(v, r);
	v->printed++;
}

/* ---- holding back --------------------------------------------------------- */

static struct held *find(struct events *v, uint64_t sock)
{
	struct tcphs_table_link *l = tcphs_table_first(&v->waiting, sock);

	return l ? (struct held *)l : NULL;
}

static void stop_waiting(struct events *v, struct held *h)
{
	tcphs_table_remove(&v->waiting, &h->link);
	h->waits = false;
}

/* Print from the front what waits for nothing; with `all`, the rest too. */
static void release(struct events *v, uint64_t now, uint64_t patience)
{
	while (v->count) {
		struct held *h = v->ring[v->begin];

		if (h->waits && now < h->record.ts + patience && v->count < HELD_MAX)
			break;
		if (h->waits)
			stop_waiting(v, h);
		v->begin = (v->begin + 1) % HELD_MAX;
		v->count--;
		print(v, &h->record);
		free(h);
	}
}

/*
 * A child's address is the listener's, any, until its peer is known. A socket
 * that connects again still has the port of its last connection.
 */
static bool is_birth(const struct tcphs_record *r)
{
	const struct tcphs_transition *t = &r->transition;

	if (r->kind != TCPHS_TRANSITION || t->via != TCPHS_VIA_TRACEPOINT || !r->sock)
		return false;
	return (t->old == TCPHS_CLOSE && t->new == TCPHS_SYN_SENT) ||
	       (t->old == TCPHS_LISTEN && t->new == TCPHS_SYN_RECV);
}

static void tell(struct held *h, const struct tcphs_record *r)
{
	struct tcphs_record *to = &h->record;

	to->flags &= ~(TCPHS_NO_LOCAL_PORT | TCPHS_NO_REMOTE | TCPHS_INET6 |
		       TCPHS_V4MAPPED);
	to->flags |= r->flags & (TCPHS_INET6 | TCPHS_V4MAPPED);
	memcpy(to->saddr, r->saddr, sizeof(to->saddr));
	memcpy(to->daddr, r->daddr, sizeof(to->daddr));
	to->sport = r->sport;
	to->dport = r->dport;
}

static void feed(struct events *v, const struct tcphs_record *r)
{
	struct held *h = r->sock && r->kind != TCPHS_LOST ? find(v, r->sock) : NULL;
	struct tcphs_tuple t;
	bool whole, waits;

	tcphs_address_tuple(r, &t);
	whole = tcphs_address_whole(&t);
	if (h) {
		if (is_birth(r) || r->kind == TCPHS_DESTROY) {
			stop_waiting(v, h);
		} else if (whole) {
			tell(h, r);
			stop_waiting(v, h);
		} else if (r->kind == TCPHS_TRANSITION &&
			   r->transition.new == TCPHS_CLOSE) {
			stop_waiting(v, h);
		}
	}
	waits = is_birth(r) && (!whole || r->transition.new == TCPHS_SYN_SENT);
	if (!v->count && !waits) {
		print(v, r);
		return;
	}
	h = tcphs_memory_get(1, sizeof(*h));
	h->record = *r;
	h->waits = waits;
	if (h->waits)
		tcphs_table_add(&v->waiting, &h->link, r->sock);
	v->ring[(v->begin + v->count++) % HELD_MAX] = h;
	release(v, r->ts, HELD_NS);
}

static void forget(void *arg, const struct tcphs_end *a, const struct tcphs_end *b)
{
	(void)arg;
	(void)a;
	(void)b;
}

int tcphs_events_run(const struct tcphs_settings *s)
{
	struct events *v = tcphs_memory_get(1, sizeof(*v));
	struct tcphs_source *source;
	struct tcphs_record r;
	int status, done = 0;
	uint64_t lost;

	source = tcphs_source_open(s->nfiles ? s->files[0] : NULL, s->follow, &status);
	if (!source) {
		free(v);
		return status;
	}
	v->s = s;
	tcphs_output_init(&v->output, s);
	v->clock.times = s->times;
	v->clock.wall_offset = tcphs_source_header(source)->wall_offset;
	if (!s->json && !s->absolute)
		v->flow = tcphs_flow_new(true, forget, NULL);
	if (s->follow)
		tcphs_stop_catch(s->seconds);
	while (!done && !enough(v)) {
		switch (tcphs_source_read(source, &r)) {
		case TCPHS_SOURCE_END:
			done = 1;
			break;
		case TCPHS_SOURCE_IDLE:
			release(v, tcphs_stop_now(), HELD_LIVE_NS);
			done = !tcphs_output_flush();
			break;
		case TCPHS_SOURCE_RECORD:
			feed(v, &r);
			break;
		}
		if (s->follow && tcphs_stop_asked())
			done = 1;
	}
	release(v, UINT64_MAX, 0);
	if (v->flow)
		tcphs_flow_free(v->flow);
	tcphs_table_free(&v->waiting);
	free(v);
	status = tcphs_source_status(source);
	lost = tcphs_source_lost(source);
	tcphs_source_close(source);
	if (tcphs_output_finish())
		return TCPHS_EXIT_FAILED;
	if (!status && s->strict && lost)
		return TCPHS_EXIT_LOST;
	return status;
}
