// SPDX-License-Identifier: GPL-2.0
/*
 * `tcphs live`: a row for each thing that happens, with the number of its
 * connection, and a row with the verdict when that is over.
 *
 * Of a segment between two local ends the sending is told, not the arrival too.
 * FIN_WAIT2 -> CLOSE and CLOSING -> CLOSE wait for the next record: a TIME_WAIT
 * mini-socket says right after it whether CLOSE was meant.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "command.h"
#include "connection.h"
#include "filter.h"
#include "flow.h"
#include "hold.h"
#include "json.h"
#include "message.h"
#include "names.h"
#include "number.h"
#include "options.h"
#include "output.h"
#include "source.h"
#include "stop.h"
#include "verdict.h"

#define STATUS_NS 500000000ULL
#define PENDING_NS 1000000ULL

struct live {
	const struct tcphs_settings *s;
	struct tcphs_output output;
	struct tcphs_clock clock;
	struct tcphs_context context;
	struct tcphs_flow *flow;
	uint64_t since;			/* what was before is not told */
	uint64_t rows;
	uint64_t records;
	unsigned long introduced;	/* connections up to this number */
	struct tcphs_record pending;	/* a CLOSE that may not be meant */
	bool is_pending;

	/* The status line. */
	bool status_shown;
	uint64_t status_at;
	uint64_t status_records;

	/* The summary. */
	unsigned long opens[TCPHS_OPEN_UNSEEN + 1];
	unsigned long closes[TCPHS_CLOSE_UNSEEN + 1];
	unsigned long over;
	bool ended;			/* what is given out now still lives */
};

/* ---- rows ----------------------------------------------------------------- */

static bool enough(const struct live *l)
{
	return (l->s->count && l->rows >= l->s->count) || ferror(stdout);
}

static void clear_status(struct live *l)
{
	if (l->status_shown)
		fputs("\r\033[K", stdout);
	l->status_shown = false;
}

static void begin_row(struct live *l, uint64_t ts, unsigned long number, const char *who)
{
	char time[TCPHS_CLOCK_SIZE], name[24] = "";

	clear_status(l);
	tcphs_clock_row(&l->clock, ts, time);
	if (*time)
		printf("%s%s%s ", tcphs_output_paint(&l->output, TCPHS_PAINT_DIM), time,
		       tcphs_output_plain(&l->output));
	if (number)
		snprintf(name, sizeof(name), "#%lu", number);
	printf("%-5s %-6s ", name, who);
	l->rows++;
}

static const char *side_name(const struct tcphs_end *e)
{
	bool assumed = false;

	return tcphs_connection_side(e, e->peer, &assumed) == TCPHS_CLIENT ? "client" :
									      "server";
}

/* The first row of a connection says who it is between. */
static void introduce(struct live *l, const struct tcphs_end *e,
		      const struct tcphs_record *r, unsigned long number)
{
	char client[TCPHS_ADDRESS_SIZE] = "?", server[TCPHS_ADDRESS_SIZE] = "?";
	struct tcphs_tuple t, mirror;
	bool assumed = false;

	if (number <= l->introduced)
		return;
	l->introduced = number;
	tcphs_address_tuple(r, &t);
	if (tcphs_connection_side(e, e->peer, &assumed) == TCPHS_SERVER) {
		tcphs_address_mirror(&t, &mirror);
		t = mirror;
	}
	if (t.lport)
		tcphs_address_end(t.local, t.inet6, t.lport, client);
	if (t.rport)
		tcphs_address_end(t.remote, t.inet6, t.rport, server);
	begin_row(l, r->ts, number, "");
	printf("%s%s > %s%s\n", tcphs_output_paint(&l->output, TCPHS_PAINT_STRONG), client,
	       server, tcphs_output_plain(&l->output));
}

static void print_transition(struct live *l, const struct tcphs_transition *t)
{
	char comm[32];

	printf("%s %s %s%s%s", tcphs_names_state(t->old), l->output.ascii ? "->" : "→",
	       tcphs_output_paint(&l->output, TCPHS_PAINT_STATE), tcphs_names_state(t->new),
	       tcphs_output_plain(&l->output));
	if (t->has & TCPHS_HAS_OWNER)
		printf("  %s/%" PRIu32, tcphs_output_clean(t->comm, comm, sizeof(comm)),
		       t->pid);
	if (t->has & TCPHS_HAS_BIRTH && t->new == TCPHS_LISTEN)
		printf("  backlog %" PRIu32, t->birth.backlog);
	if (t->new == TCPHS_CLOSE && t->error)
		printf("  %s", tcphs_names_error(t->error));
	putchar('\n');
}

static void print_segment(struct live *l, const struct tcphs_segment *s,
			  const struct tcphs_end *e)
{
	bool out = s->mark & TCPHS_SEG_OUT;
	uint32_t own = out ? e->iss : e->irs, other = out ? e->irs : e->iss;
	bool own_known = out ? e->iss_known : e->irs_known;
	bool other_known = out ? e->irs_known : e->iss_known;
	char flags[TCPHS_NAMES_FLAGS_SIZE];
	struct tcphs_options o;

	fputs(tcphs_output_paint(&l->output, s->flags & TCPHS_RST ? TCPHS_PAINT_BAD :
				 s->mark & TCPHS_SEG_RETRANSMIT ? TCPHS_PAINT_WARN :
								  TCPHS_PAINT_PLAIN), stdout);
	printf("%s seq=%" PRIu32, tcphs_names_flags(s->flags, flags),
	       own_known && !(s->flags & TCPHS_RST && !s->seq) ? s->seq - own : s->seq);
	if (s->flags & TCPHS_SYN)
		printf(" [%" PRIu32 "]", s->seq);
	if (s->flags & TCPHS_ACK)
		printf(" ack=%" PRIu32, other_known ? s->ack - other : s->ack);
	if (s->len)
		printf(" len=%" PRIu32, s->len);
	tcphs_options_decode(s, &o);
	if (s->flags & TCPHS_SYN && o.has_mss)
		printf(" mss %u", o.mss);
	if (s->mark & TCPHS_SEG_RETRANSMIT)
		fputs(" again", stdout);
	if (s->mark & TCPHS_SEG_COOKIE)
		fputs(" SYN cookie", stdout);
	if (s->mark & TCPHS_SEG_PROBE)
		fputs(" probe", stdout);
	if (s->mark & TCPHS_SEG_ACCEPT_FULL)
		fputs(" accept queue full", stdout);
	printf("%s\n", tcphs_output_plain(&l->output));
}

/* The child's birth repeats what its request has said. */
static bool told_before(const struct tcphs_end *e, const struct tcphs_transition *t)
{
	size_t i;

	if (t->old == t->new)
		return true;
	if (t->old != TCPHS_LISTEN || t->via != TCPHS_VIA_TRACEPOINT)
		return false;
	for (i = 0; i < e->records; i++)
		if (e->record[i].kind == TCPHS_TRANSITION &&
		    e->record[i].transition.via == TCPHS_VIA_REQUEST)
			return true;
	return false;
}

static void print_listener(struct live *l, const struct tcphs_record *r)
{
	char name[TCPHS_ADDRESS_SIZE] = "?";
	struct tcphs_tuple t;

	if (r->kind != TCPHS_TRANSITION || r->transition.old == r->transition.new)
		return;
	tcphs_address_tuple(r, &t);
	if (t.lport)
		tcphs_address_end(t.local, t.inet6, t.lport, name);
	begin_row(l, r->ts, 0, "");
	printf("%s  ", name);
	print_transition(l, &r->transition);
}

/* A socket connected to itself sends what it receives. */
static bool is_itself(const struct tcphs_record *r)
{
	return r->sport == r->dport && !memcmp(r->saddr, r->daddr, sizeof(r->saddr));
}

static void print_row(struct live *l, const struct tcphs_record *r)
{
	const struct tcphs_end *e = tcphs_flow_find(l->flow, r);
	unsigned long number;

	if (!e || e->role == TCPHS_ROLE_LISTENER) {
		print_listener(l, r);
		return;
	}
	switch (r->kind) {
	case TCPHS_TRANSITION:
		if (told_before(e, &r->transition))
			return;
		break;
	case TCPHS_SEGMENT:
		if (!(r->segment.mark & TCPHS_SEG_OUT) && (e->peer || is_itself(r)))
			return;
		break;
	case TCPHS_RESET:
		break;
	default:
		return;
	}
	number = tcphs_flow_number(l->flow, r);
	introduce(l, e, r, number);
	if (r->kind == TCPHS_SEGMENT && !(r->segment.mark & TCPHS_SEG_OUT)) {
		/* The other side is elsewhere: what comes from it, it sent. */
		begin_row(l, r->ts, number, strcmp(side_name(e), "client") ? "client" :
									     "server");
	} else {
		begin_row(l, r->ts, number, side_name(e));
	}
	if (r->kind == TCPHS_TRANSITION)
		print_transition(l, &r->transition);
	else if (r->kind == TCPHS_SEGMENT)
		print_segment(l, &r->segment, e);
	else
		printf("reset %s in %s\n", r->reset.out ? "sent" : "received",
		       r->reset.state ? tcphs_names_state(r->reset.state) : "?");
}

/* ---- what is not told at once --------------------------------------------- */

static bool same_end(const struct tcphs_record *a, const struct tcphs_record *b)
{
	return a->netns == b->netns && a->sport == b->sport && a->dport == b->dport &&
	       !memcmp(a->saddr, b->saddr, sizeof(a->saddr)) &&
	       !memcmp(a->daddr, b->daddr, sizeof(a->daddr));
}

static void settle_pending(struct live *l, const struct tcphs_record *r, uint64_t now)
{
	if (!l->is_pending || (!r && now < l->pending.ts + PENDING_NS))
		return;
	if (r && !same_end(&l->pending, r) && now < l->pending.ts + PENDING_NS)
		return;
	l->is_pending = false;
	/* FIN_WAIT2 or TIME_WAIT goes on in a mini-socket. */
	if (r && same_end(&l->pending, r) && r->kind == TCPHS_TRANSITION &&
	    r->transition.via == TCPHS_VIA_TIMEWAIT)
		return;
	print_row(l, &l->pending);
}

static bool may_go_on(const struct tcphs_record *r)
{
	const struct tcphs_transition *t = &r->transition;

	return r->kind == TCPHS_TRANSITION && t->via == TCPHS_VIA_TRACEPOINT &&
	       t->new == TCPHS_CLOSE &&
	       (t->old == TCPHS_FIN_WAIT2 || t->old == TCPHS_CLOSING);
}

static void take(void *arg, const struct tcphs_record *r)
{
	struct live *l = arg;
	struct tcphs_tuple t;

	l->records++;
	if (r->ts > l->context.last)
		l->context.last = r->ts;
	tcphs_flow_feed(l->flow, r);
	if (r->ts < l->since || enough(l))
		return;
	if (r->kind == TCPHS_LOST) {
		if (l->s->json) {
			tcphs_json_record(r);
			l->rows++;
			return;
		}
		begin_row(l, r->ts, 0, "");
		printf("%s%" PRIu64 " records lost on CPU %u%s\n",
		       tcphs_output_paint(&l->output, TCPHS_PAINT_BAD),
		       (uint64_t)r->lost.count, r->cpu, tcphs_output_plain(&l->output));
		return;
	}
	tcphs_address_tuple(r, &t);
	if ((l->s->netns && r->netns != l->s->netns) ||
	    !tcphs_filter_match(l->s->filter, &t))
		return;
	if (l->s->json) {
		tcphs_json_record(r);
		l->rows++;
		return;
	}
	settle_pending(l, r, r->ts);
	if (may_go_on(r) && !l->is_pending) {
		l->pending = *r;
		l->is_pending = true;
		return;
	}
	print_row(l, r);
}

/* ---- verdicts ------------------------------------------------------------- */

static void print_verdict(struct live *l, const struct tcphs_connection *c,
			  unsigned long number)
{
	const char *close = tcphs_verdict_close(c->close);
	char span[TCPHS_NUMBER_SIZE];

	begin_row(l, c->ended ? c->ended : l->context.last, number, "over");
	printf("%s", tcphs_verdict_open(c->open));
	if (c->opened)
		printf(" open %s", tcphs_number_span(c->opened, span));
	if (close)
		printf(", %s", close);
	if (c->ended)
		printf(", lasted %s", tcphs_number_span(c->ended - c->began, span));
	if (c->side[TCPHS_CLIENT].bytes_known && close)
		printf(", %s B sent", tcphs_number_count(c->side[TCPHS_CLIENT].bytes, span));
	if (c->side[TCPHS_SERVER].bytes_known && close)
		printf(", %s B received",
		       tcphs_number_count(c->side[TCPHS_SERVER].bytes, span));
	if (c->whole != TCPHS_WHOLE_COMPLETE)
		printf(", %s", tcphs_verdict_whole(c->whole));
	putchar('\n');
}

static void give(void *arg, const struct tcphs_end *a, const struct tcphs_end *b)
{
	unsigned long number = a->number ? a->number : b ? b->number : 0;
	struct tcphs_connection *c;
	struct live *l = arg;

	/* Numbered are those of which a row was told. */
	if (a->role == TCPHS_ROLE_LISTENER || !number)
		return;
	c = tcphs_connection_new(&l->context, a, b);
	l->opens[c->open]++;
	l->closes[c->close]++;
	l->over++;
	if (!l->s->json && !l->ended && !enough(l))
		print_verdict(l, c, number);
	tcphs_connection_free(c);
}

/* ---- status and summary --------------------------------------------------- */

static void show_status(struct live *l, const struct tcphs_source *source)
{
	uint64_t now = tcphs_stop_now(), gone = now - l->status_at;
	char count[TCPHS_NUMBER_SIZE], lost[TCPHS_NUMBER_SIZE];

	if (!l->output.terminal || l->s->json || gone < STATUS_NS)
		return;
	clear_status(l);
	printf("%s%lu connections, %lu of them over, %s records/s, %s lost%s",
	       tcphs_output_paint(&l->output, TCPHS_PAINT_STRONG), l->introduced, l->over,
	       tcphs_number_count((l->records - l->status_records) * 1000000000 / gone, count),
	       tcphs_number_count(tcphs_source_lost(source), lost),
	       tcphs_output_plain(&l->output));
	fflush(stdout);
	l->status_shown = true;
	l->status_at = now;
	l->status_records = l->records;
}

static void count_kind(const char *name, unsigned long count)
{
	if (count)
		printf(", %lu %s", count, name);
}

static void summary(struct live *l, const struct tcphs_source *source)
{
	char records[TCPHS_NUMBER_SIZE], lost[TCPHS_NUMBER_SIZE];
	unsigned int i;

	if (l->s->json)
		return;
	clear_status(l);
	printf("%lu connections", l->introduced);
	for (i = 0; i <= TCPHS_OPEN_UNSEEN; i++)
		count_kind(tcphs_verdict_open(i), l->opens[i]);
	fputs("\nclosed", stdout);
	for (i = TCPHS_CLOSE_FOUR_WAY; i <= TCPHS_CLOSE_UNSEEN; i++)
		count_kind(i == TCPHS_CLOSE_OPEN ? "still open" : tcphs_verdict_close(i),
			   l->closes[i]);
	printf("\n%s records, %s lost\n", tcphs_number_count(l->records, records),
	       tcphs_number_count(tcphs_source_lost(source), lost));
}

/* ---- the command ---------------------------------------------------------- */

static void follow(struct live *l, struct tcphs_source *source)
{
	struct tcphs_hold *hold = tcphs_hold_new(take, l);
	struct tcphs_record r;
	bool done = false;

	while (!done && !enough(l)) {
		switch (tcphs_source_read(source, &r)) {
		case TCPHS_SOURCE_END:
			done = true;
			break;
		case TCPHS_SOURCE_IDLE:
			tcphs_hold_idle(hold, tcphs_stop_now());
			settle_pending(l, NULL, tcphs_stop_now());
			tcphs_flow_advance(l->flow, tcphs_stop_now());
			done = !tcphs_output_flush();
			break;
		case TCPHS_SOURCE_RECORD:
			tcphs_hold_feed(hold, &r);
			break;
		}
		show_status(l, source);
		done |= tcphs_stop_asked();
	}
	tcphs_hold_finish(hold);
	settle_pending(l, NULL, UINT64_MAX);
	tcphs_hold_free(hold);
}

int tcphs_live_run(const struct tcphs_settings *s)
{
	struct live l = { .s = s };
	const struct tcphs_header *h;
	struct tcphs_source *source;
	uint64_t lost;
	int status;

	source = tcphs_source_open(s->nfiles ? s->files[0] : NULL, true, &status);
	if (!source)
		return status;
	h = tcphs_source_header(source);
	l.since = s->nfiles ? 0 : h->opened;
	l.context.segments = h->segments;
	l.context.missing = h->missing;
	l.clock.times = s->times;
	l.clock.wall_offset = h->wall_offset;
	l.status_at = tcphs_stop_now();
	tcphs_output_init(&l.output, s);
	l.flow = tcphs_flow_new(true, give, &l);
	tcphs_stop_catch(s->seconds);
	follow(&l, source);
	l.ended = true;
	tcphs_flow_finish(l.flow);
	summary(&l, source);
	tcphs_flow_free(l.flow);
	status = tcphs_source_status(source);
	lost = tcphs_source_lost(source);
	tcphs_source_close(source);
	if (tcphs_output_finish())
		return TCPHS_EXIT_FAILED;
	if (!status && s->strict && lost)
		return TCPHS_EXIT_LOST;
	return status;
}
