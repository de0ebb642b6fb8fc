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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "command.h"
#include "connection.h"
#include "filter.h"
#include "flow.h"
#include "gap.h"
#include "hold.h"
#include "input.h"
#include "json.h"
#include "memory.h"
#include "message.h"
#include "names.h"
#include "number.h"
#include "options.h"
#include "output.h"
#include "report.h"
#include "stop.h"
#include "summary.h"
#include "verdict.h"
#include "view.h"
#include "writer.h"

#define STATUS_NS 500000000ULL
/* The CPU, a virtual one mostly, may be taken away between the two records. */
#define PENDING_NS 50000000ULL

enum { PENDING_MAX = 256, ROW = 1024 };

struct live {
	const struct tcphs_settings *s;
	struct tcphs_output output;
	struct tcphs_writer row;	/* or rows */
	struct tcphs_clock clock;
	struct tcphs_context context;
	struct tcphs_flow *flow;
	bool live;			/* not a recording */
	uint64_t since;			/* what was before is not told */
	uint64_t rows;
	uint64_t records;
	unsigned long introduced;	/* connections up to this number */
	unsigned long number;		/* the last row's, and its text */
	size_t number_size;
	char number_text[32];

	/* Rows that wait for a CLOSE that may not be meant: a ring. */
	struct pending {
		struct tcphs_record record;
		bool waits;
		bool dropped;
	} queue[PENDING_MAX];
	size_t begin;
	size_t pending;

	/* The status line. */
	FILE *status;			/* NULL: none */
	bool status_shown;
	uint64_t status_at;
	uint64_t status_records;

	/* The summary. */
	struct tcphs_summary summary;
	bool ended;			/* what is given out now still lives */
};

/* ---- rows ----------------------------------------------------------------- */

static bool told_enough(const struct live *l)
{
	return l->s->count && l->rows >= l->s->count;
}

static bool enough(const struct live *l)
{
	return told_enough(l) || tcphs_output_gone();
}

static void clear_status(struct live *l)
{
	if (l->status_shown)
		fputs("\r\033[K", l->status);
	l->status_shown = false;
}

static void paint(struct live *l, enum tcphs_paint p)
{
	if (l->output.color)
		tcphs_writer_text(&l->row, tcphs_output_paint(&l->output, p));
}

static void plain(struct live *l)
{
	if (l->output.color)
		tcphs_writer_text(&l->row, tcphs_output_plain(&l->output));
}

/* A name and its number. */
static __always_inline void write_pair(struct tcphs_writer *w, const char *name,
				       uint64_t number)
{
	tcphs_writer_word(w, name);
	tcphs_writer_number(w, number);
}

/* Who a row is about: seven columns. */
enum who { NOBODY, CLIENT, SERVER, OVER };

/* "#12  ": mostly that of the row before. */
static void write_number(struct live *l, unsigned long number)
{
	struct tcphs_writer *w = &l->row;
	size_t begin = w->used, used;

	if (!l->number_size || number != l->number) {
		if (number)
			write_pair(w, "#", number);
		used = w->used - begin;
		tcphs_writer_padded(w, " ", used < 5 ? 6 - used : 1);
		l->number = number;
		l->number_size = w->used - begin;
		memcpy(l->number_text, w->text + begin, sizeof(l->number_text));
		return;
	}
	memcpy(w->text + begin, l->number_text, sizeof(l->number_text));
	w->used += l->number_size;
}

static void begin_row(struct live *l, uint64_t ts, unsigned long number, enum who who)
{
	static const char names[][8] = {
		[NOBODY] = "       ",
		[CLIENT] = "client ",
		[SERVER] = "server ",
		[OVER] = "over   ",
	};
	struct tcphs_writer *w = &l->row;

	clear_status(l);
	/* A row is not torn in two: it has room for all that comes. */
	if (w->used > TCPHS_WRITER_SIZE - ROW)
		tcphs_writer_flush(w);
	if (l->clock.times != TCPHS_TIMES_NONE) {
		paint(l, TCPHS_PAINT_DIM);
		w->used = tcphs_clock_put(&l->clock, ts, w->text + w->used) - w->text;
		plain(l);
		tcphs_writer_char(w, ' ');
	}
	write_number(l, number);
	memcpy(w->text + w->used, names[who], sizeof(names[who]));
	w->used += sizeof(names[who]) - 1;
	l->rows++;
}

/* Several rows go to the stream together, but for a status line below each. */
static void end_row(struct live *l)
{
	tcphs_writer_char(&l->row, '\n');
	if (l->status)
		tcphs_writer_flush(&l->row);
}

static enum who side_of(const struct tcphs_end *e)
{
	bool assumed = false;

	return tcphs_connection_side(e, e->peer, &assumed) == TCPHS_CLIENT ? CLIENT : SERVER;
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
	begin_row(l, r->ts, number, NOBODY);
	paint(l, TCPHS_PAINT_STRONG);
	tcphs_writer_word(&l->row, client);
	tcphs_writer_text(&l->row, " > ");
	tcphs_writer_word(&l->row, server);
	plain(l);
	end_row(l);
}

static void print_transition(struct live *l, const struct tcphs_transition *t)
{
	const char *error = t->new == TCPHS_CLOSE ? tcphs_names_error(t->error) : NULL;
	struct tcphs_writer *w = &l->row;
	char comm[32];

	tcphs_writer_word(w, tcphs_names_state(t->old));
	if (l->output.ascii)
		tcphs_writer_text(w, " -> ");
	else
		tcphs_writer_text(w, " → ");
	paint(l, TCPHS_PAINT_STATE);
	tcphs_writer_word(w, tcphs_names_state(t->new));
	plain(l);
	if (t->has & TCPHS_HAS_OWNER) {
		tcphs_writer_text(w, "  ");
		tcphs_writer_word(w, tcphs_output_clean(t->comm, comm, sizeof(comm)));
		write_pair(w, "/", t->pid);
	}
	if (t->has & TCPHS_HAS_BIRTH && t->new == TCPHS_LISTEN)
		write_pair(w, "  backlog ", t->birth.backlog);
	if (error) {
		tcphs_writer_text(w, "  ");
		tcphs_writer_word(w, error);
	}
	end_row(l);
}

static void print_segment(struct live *l, const struct tcphs_segment *s,
			  const struct tcphs_end *e)
{
	bool out = s->mark & TCPHS_SEG_OUT;
	uint32_t own = out ? e->iss : e->irs, other = out ? e->irs : e->iss;
	bool own_known = !l->s->absolute && (out ? e->iss_known : e->irs_known);
	bool other_known = !l->s->absolute && (out ? e->irs_known : e->iss_known);
	struct tcphs_writer *w = &l->row;
	char flags[TCPHS_NAMES_FLAGS_SIZE];
	struct tcphs_options o = { 0 };

	if (tcphs_number_mixes(s, own_known, other_known))
		own_known = other_known = false;
	paint(l, s->flags & TCPHS_RST ? TCPHS_PAINT_BAD :
		 s->mark & TCPHS_SEG_RETRANSMIT ? TCPHS_PAINT_WARN : TCPHS_PAINT_PLAIN);
	tcphs_writer_word(w, tcphs_names_flags(s->flags, flags));
	write_pair(w, " seq=", own_known && !tcphs_number_is_none(s) ?
			       (uint32_t)(s->seq - own) : s->seq);
	if (s->flags & TCPHS_SYN && !l->s->absolute) {
		write_pair(w, " [", s->seq);
		tcphs_writer_char(w, ']');
	}
	if (s->flags & TCPHS_ACK)
		write_pair(w, " ack=", other_known ? (uint32_t)(s->ack - other) : s->ack);
	if (s->len)
		write_pair(w, " len=", s->len);
	if (s->flags & TCPHS_SYN)
		tcphs_options_decode(s, &o);
	if (o.has_mss)
		write_pair(w, " mss ", o.mss);
	if (s->mark & TCPHS_SEG_RETRANSMIT)
		tcphs_writer_text(w, " again");
	if (s->mark & TCPHS_SEG_COOKIE)
		tcphs_writer_text(w, " SYN cookie");
	if (s->mark & TCPHS_SEG_PROBE)
		tcphs_writer_text(w, " probe");
	if (s->mark & TCPHS_SEG_ACCEPT_FULL)
		tcphs_writer_text(w, " accept queue full");
	plain(l);
	end_row(l);
}

static void print_reset(struct live *l, const struct tcphs_reset *r)
{
	struct tcphs_writer *w = &l->row;

	tcphs_writer_text(w, r->out ? "reset sent in " : "reset received in ");
	tcphs_writer_text(w, r->state ? tcphs_names_state(r->state) : "?");
	end_row(l);
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
	begin_row(l, r->ts, 0, NOBODY);
	tcphs_writer_word(&l->row, name);
	tcphs_writer_text(&l->row, "  ");
	print_transition(l, &r->transition);
}

/* A socket connected to itself sends what it receives. */
static bool is_itself(const struct tcphs_record *r)
{
	return r->sport == r->dport && !memcmp(r->saddr, r->daddr, sizeof(r->saddr));
}

static void print_row(struct live *l, const struct tcphs_record *r)
{
	struct tcphs_end *e = tcphs_flow_find(l->flow, r);
	unsigned long number;
	enum who who;

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
	number = tcphs_flow_number(l->flow, e);
	introduce(l, e, r, number);
	who = side_of(e);
	/* The other side is elsewhere: what comes from it, it sent. */
	if (r->kind == TCPHS_SEGMENT && !(r->segment.mark & TCPHS_SEG_OUT))
		who = who == CLIENT ? SERVER : CLIENT;
	begin_row(l, r->ts, number, who);
	if (r->kind == TCPHS_TRANSITION)
		print_transition(l, &r->transition);
	else if (r->kind == TCPHS_SEGMENT)
		print_segment(l, &r->segment, e);
	else
		print_reset(l, &r->reset);
}

static void print_lost(struct live *l, const struct tcphs_record *r)
{
	char span[TCPHS_GAP_TEXT];

	begin_row(l, r->ts, 0, NOBODY);
	paint(l, TCPHS_PAINT_BAD);
	tcphs_writer_word(&l->row, tcphs_gap_count(r, span));
	write_pair(&l->row, " lost on CPU ", r->cpu);
	tcphs_writer_text(&l->row, tcphs_gap_text(r, span));
	plain(l);
	end_row(l);
}

static void print_json(struct live *l, const struct tcphs_record *r)
{
	unsigned long number = 0;

	if (r->kind != TCPHS_LOST)
		number = tcphs_flow_number(l->flow, tcphs_flow_find(l->flow, r));
	if (number > l->introduced)
		l->introduced = number;
	clear_status(l);
	tcphs_json_numbered(r, l->context.hosts, number);
	l->rows++;
}

/* ---- what is not told at once --------------------------------------------- */

static bool same_end(const struct tcphs_record *a, const struct tcphs_record *b)
{
	return a->netns == b->netns && a->sport == b->sport && a->dport == b->dport &&
	       !memcmp(a->saddr, b->saddr, sizeof(a->saddr)) &&
	       !memcmp(a->daddr, b->daddr, sizeof(a->daddr));
}

/* FIN_WAIT2 or TIME_WAIT may go on in a mini-socket. */
static bool may_go_on(const struct tcphs_record *r)
{
	const struct tcphs_transition *t = &r->transition;

	return r->kind == TCPHS_TRANSITION && t->via == TCPHS_VIA_TRACEPOINT &&
	       t->new == TCPHS_CLOSE &&
	       (t->old == TCPHS_FIN_WAIT2 || t->old == TCPHS_CLOSING);
}

/* Tell what has waited long enough, in its order. */
static void settle(struct live *l, uint64_t now)
{
	while (l->pending) {
		struct pending *p = &l->queue[l->begin];

		if (p->waits && now < p->record.ts + PENDING_NS && l->pending < PENDING_MAX)
			break;
		l->begin = (l->begin + 1) % PENDING_MAX;
		l->pending--;
		if (!p->dropped && !told_enough(l))
			print_row(l, &p->record);
	}
}

static void queue_row(struct live *l, const struct tcphs_record *r)
{
	bool mini = r->kind == TCPHS_TRANSITION && r->transition.via == TCPHS_VIA_TIMEWAIT;
	struct pending *p;
	size_t i;

	for (i = 0; i < l->pending; i++) {
		p = &l->queue[(l->begin + i) % PENDING_MAX];
		if (!p->waits || !same_end(&p->record, r))
			continue;
		p->waits = false;
		p->dropped = mini;
	}
	if (!l->pending && !may_go_on(r)) {
		print_row(l, r);
		return;
	}
	p = &l->queue[(l->begin + l->pending++) % PENDING_MAX];
	p->record = *r;
	p->waits = may_go_on(r);
	p->dropped = false;
	settle(l, r->ts);
}

static bool wanted(const struct live *l, const struct tcphs_record *r)
{
	struct tcphs_tuple t;

	if (l->s->netns && tcphs_host_netns(l->context.hosts, r->netns) != l->s->netns)
		return false;
	if (!l->s->filter)
		return true;
	tcphs_address_tuple(r, &t);
	return tcphs_filter_match(l->s->filter, &t);
}

static void take(void *arg, const struct tcphs_record *r)
{
	struct live *l = arg;

	if (r->ts > l->context.last)
		l->context.last = r->ts;
	/* Before verdicts that the record brings about. */
	if (l->pending)
		settle(l, r->ts);
	tcphs_flow_feed(l->flow, r);
	if (r->ts < l->since || told_enough(l))
		return;
	l->records++;
	if (r->kind == TCPHS_LOST) {
		if (l->s->json)
			print_json(l, r);
		else
			print_lost(l, r);
		return;
	}
	if (!wanted(l, r))
		return;
	if (l->s->json)
		print_json(l, r);
	else
		queue_row(l, r);
}

/* ---- verdicts ------------------------------------------------------------- */

/* Words before and behind a number that has a text of its own. */
static __always_inline void write_part(struct tcphs_writer *w, const char *before, const char *text,
		       const char *behind)
{
	tcphs_writer_text(w, before);
	tcphs_writer_word(w, text);
	tcphs_writer_text(w, behind);
}

static void print_verdict(struct live *l, const struct tcphs_connection *c,
			  unsigned long number)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];
	const char *close = tcphs_verdict_close(c->close);
	char span[TCPHS_NUMBER_SIZE];
	struct tcphs_writer *w = &l->row;
	uint64_t lasted;

	begin_row(l, c->ended ? c->ended : l->context.last, number, OVER);
	tcphs_writer_word(w, tcphs_verdict_open(c->open));
	if (c->opened)
		write_part(w, " open ", tcphs_number_span(c->opened, span), "");
	if (close)
		write_part(w, ", ", close, "");
	if (tcphs_connection_lasted(c, &lasted))
		write_part(w, ", lasted ", tcphs_number_span(lasted, span), "");
	if (client->bytes_known && close)
		write_part(w, ", ", tcphs_number_count(client->bytes, span), " B sent");
	if (server->bytes_known && close)
		write_part(w, ", ", tcphs_number_count(server->bytes, span), " B received");
	if (c->whole != TCPHS_WHOLE_COMPLETE)
		write_part(w, ", ", tcphs_verdict_whole(c->whole), "");
	end_row(l);
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
	tcphs_summary_add(&l->summary, c);
	if (!l->s->json && !l->ended && !enough(l))
		print_verdict(l, c, number);
	tcphs_connection_free(c);
}

/* ---- status and summary --------------------------------------------------- */

/*
 * Below the rows on a terminal; on stderr's when the rows go into a file. Rows
 * into a pipe may come out on the same terminal, by another program: no status.
 */
static FILE *find_status(const struct live *l)
{
	const char *term = getenv("TERM");
	struct stat st;

	if (!l->live || !term || !strcmp(term, "dumb"))
		return NULL;
	if (l->output.terminal)
		return stdout;
	if (isatty(STDERR_FILENO) && !fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode))
		return stderr;
	return NULL;
}

static void show_status(struct live *l, const struct tcphs_input *source, uint64_t now)
{
	uint64_t gone = now - l->status_at;
	char count[TCPHS_NUMBER_SIZE], lost[TCPHS_NUMBER_SIZE], text[160];
	struct tcphs_output o;

	if (!l->status || gone < STATUS_NS)
		return;
	clear_status(l);
	snprintf(text, sizeof(text), "%lu connections, %" PRIu64 " over, %s records/s, %s lost",
		 l->introduced, l->summary.connections,
		 tcphs_number_count((l->records - l->status_records) * 1000000000 / gone,
				    count),
		 tcphs_number_count(tcphs_input_lost(source), lost));
	/* A line that wraps could not be taken back. */
	tcphs_output_init(&o, l->s);
	fprintf(l->status, "%s%.*s%s", tcphs_output_paint(&l->output, TCPHS_PAINT_STRONG),
		(int)o.width - 1, text, tcphs_output_plain(&l->output));
	fflush(l->status);
	l->status_shown = true;
	l->status_at = now;
	l->status_records = l->records;
}

static void count_kind(const char *name, uint64_t count, const char **before)
{
	if (!count)
		return;
	fprintf(stderr, "%s%" PRIu64 " %s", *before, count, name);
	*before = ", ";
}

static void summary(struct live *l, const struct tcphs_input *source)
{
	char records[TCPHS_NUMBER_SIZE], lost[TCPHS_NUMBER_SIZE];
	size_t left = tcphs_input_left(source);
	const char *before = ": ";
	const struct tcphs_output plain = { .ascii = true };
	unsigned int i;

	/* The terminal has echoed ^C, with the status line or without. */
	l->status_shown = l->status;
	clear_status(l);
	tcphs_writer_flush(&l->row);
	/* Whoever read the rows has gone. */
	if (!tcphs_output_flush())
		return;
	/* Two ends had a number each until they were known to be of one connection. */
	fprintf(stderr, "%" PRIu64 " connection%s", l->summary.connections,
		l->summary.connections == 1 ? "" : "s");
	for (i = 0; i <= TCPHS_OPEN_UNSEEN; i++)
		count_kind(i == TCPHS_OPEN_UNSEEN ? "open unseen" : tcphs_verdict_open(i),
			   l->summary.opens[i], &before);
	before = "\nclosed: ";
	for (i = TCPHS_CLOSE_FOUR_WAY; i <= TCPHS_CLOSE_UNSEEN; i++)
		count_kind(i == TCPHS_CLOSE_OPEN ? "still open" :
			   i == TCPHS_CLOSE_UNSEEN ? "close unseen" : tcphs_verdict_close(i),
			   l->summary.closes[i], &before);
	fputc('\n', stderr);
	tcphs_report_times(stderr, &plain, &l->summary);
	fprintf(stderr, "%s record%s, %s lost", tcphs_number_count(l->records, records),
		tcphs_number_plural(l->records),
		tcphs_number_count(tcphs_input_lost(source), lost));
	/* Who was behind has stopped before it had told them. */
	if (l->live && left && !enough(l))
		fprintf(stderr, ", %s not told yet", tcphs_number_count(left, records));
	fputc('\n', stderr);
}

/* ---- the command ---------------------------------------------------------- */

/* A message of the source begins a line of its own. */
static void say(void *arg, const char *text)
{
	struct live *l = arg;

	clear_status(l);
	tcphs_writer_flush(&l->row);
	fflush(stdout);
	fprintf(stderr, "tcphs: %s\n", text);
}

static void follow(struct live *l, struct tcphs_input *source)
{
	struct tcphs_hold *hold = tcphs_hold_new(take, l);
	struct tcphs_record r;
	bool done = false;
	uint64_t now;

	tcphs_hold_hosts(hold, l->context.hosts);
	while (!done && !enough(l)) {
		enum tcphs_source_result result = tcphs_input_read(source, &r);

		/* Records bring the time with them; to ask for it is dear. */
		now = result == TCPHS_SOURCE_RECORD && !l->status ? r.ts : tcphs_stop_now();
		switch (result) {
		case TCPHS_SOURCE_END:
			done = true;
			break;
		case TCPHS_SOURCE_IDLE:
			tcphs_hold_idle(hold, now);
			settle(l, now);
			tcphs_flow_advance(l->flow, now);
			break;
		case TCPHS_SOURCE_RECORD:
			/* What has happened before -d's end is told, however far behind we are. */
			done = tcphs_stop_reached(l->live ? r.ts : 0);
			if (!done)
				tcphs_hold_feed(hold, &r);
			break;
		}
		done |= !tcphs_output_pace(now, result == TCPHS_SOURCE_IDLE, &l->row);
		show_status(l, source, now);
		done |= result != TCPHS_SOURCE_RECORD && tcphs_stop_asked();
	}
	tcphs_hold_finish(hold);
	settle(l, UINT64_MAX);
	tcphs_hold_free(hold);
}

static struct live *begin(const struct tcphs_settings *s, const struct tcphs_input *in)
{
	const struct tcphs_header *h = tcphs_input_header(in);
	struct live *l = tcphs_memory_get(1, sizeof(*l));

	l->s = s;
	l->row.to = stdout;
	l->live = !s->nfiles;
	l->since = l->live ? h->opened : 0;
	l->context.brief = true;
	tcphs_connection_context(&l->context, h, tcphs_input_hosts(in));
	l->clock.times = s->times;
	l->clock.wall_offset = h->wall_offset;
	l->status_at = tcphs_stop_now();
	tcphs_output_init(&l->output, s);
	l->status = find_status(l);
	l->flow = tcphs_flow_new(true, give, l);
	tcphs_flow_hosts(l->flow, l->context.hosts);
	return l;
}

int tcphs_live_run(const struct tcphs_settings *s)
{
	struct tcphs_input *source;
	struct live *l;
	int status;

	if (s->interactive)
		return tcphs_view_run(s);
	source = tcphs_input_open(s, !s->nfiles, &status);
	if (!source)
		return status;
	l = begin(s, source);
	if (!s->json)
		tcphs_output_hosts(&l->output, l->context.hosts);
	/* Many rows at a time, on a terminal too. */
	tcphs_output_begin_pace();
	tcphs_message_divert(say, l);
	tcphs_stop_catch(s->seconds);
	follow(l, source);
	status = tcphs_input_status(source);
	/* What is over has its verdict, without the wait for its last records. */
	tcphs_flow_advance(l->flow, UINT64_MAX);
	l->ended = true;
	tcphs_flow_finish(l->flow);
	summary(l, source);
	tcphs_flow_free(l->flow);
	free(l);
	tcphs_message_divert(NULL, NULL);
	return tcphs_input_finish(source, status, s->strict);
}
