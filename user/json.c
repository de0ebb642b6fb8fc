// SPDX-License-Identifier: GPL-2.0
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "copies.h"
#include "explain.h"
#include "json.h"
#include "listener.h"
#include "memory.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "passage.h"
#include "value.h"
#include "verdict.h"

/* ---- values --------------------------------------------------------------- */

static __always_inline void number(struct tcphs_values *v, const char *key, bool known,
				   uint64_t value)
{
	if (known)
		tcphs_value_number(v, key, value);
	else
		tcphs_value_null(v, key);
}

static __always_inline void truth(struct tcphs_values *v, const char *key, bool known, bool value)
{
	if (known)
		tcphs_value_truth(v, key, value);
	else
		tcphs_value_null(v, key);
}

static void comm(struct tcphs_values *v, bool known, const char *value)
{
	char clean[32];

	tcphs_value_text(v, "comm", known ?
			 tcphs_output_clean(value, clean, sizeof(clean)) : NULL);
}

/* 64 bits do not fit into every JSON reader's numbers. */
static void name64(struct tcphs_values *v, const char *key, uint64_t value)
{
	uint8_t byte[8];
	size_t i;

	if (!value) {
		tcphs_value_null(v, key);
		return;
	}
	for (i = 0; i < sizeof(byte); i++)
		byte[i] = value >> (56 - 8 * i);
	tcphs_value_hex(v, key, byte, sizeof(byte));
}

static void address(struct tcphs_values *v, const char *key, bool known,
		    const uint8_t *bytes, bool inet6)
{
	char text[TCPHS_ADDRESS_SIZE];

	tcphs_value_word(v, key, known ? tcphs_address_text(bytes, inet6, text) : NULL);
}

static __always_inline void state(struct tcphs_values *v, const char *key, unsigned int value)
{
	tcphs_value_word(v, key, tcphs_names_state(value));
}

/* `offset` makes it the time since 1970; 0: nothing tells how. */
static __always_inline void wall(struct tcphs_values *v, uint64_t ts, int64_t offset)
{
	if (offset)
		tcphs_value_signed(v, "wall", (int64_t)ts + offset);
	else
		tcphs_value_null(v, "wall");
}

static void flags(struct tcphs_values *v, unsigned int value)
{
	const char *name;
	unsigned int i;

	tcphs_value_begin(v, "flags", '[');
	for (i = 0; (name = tcphs_names_flag(value, i)); i++)
		tcphs_value_word(v, NULL, name);
	tcphs_value_end(v, ']');
}

/* Empty is unknown. */
static void name(struct tcphs_values *v, const char *key, const char *value)
{
	tcphs_value_text(v, key, *value ? value : NULL);
}

/* Nanoseconds as microseconds, with what is behind the point. */
static void us(struct tcphs_values *v, const char *key, bool known, uint64_t ns)
{
	if (known)
		tcphs_value_us(v, key, ns);
	else
		tcphs_value_null(v, key);
}

/* An object of its own on a line of its own. */
static void begin(struct tcphs_values *v, FILE *to)
{
	v->w.to = to;
	v->w.used = 0;
	v->more = false;
	tcphs_value_begin(v, NULL, '{');
}

static void finish(struct tcphs_values *v)
{
	tcphs_value_end(v, '}');
	tcphs_writer_char(&v->w, '\n');
	tcphs_writer_flush(&v->w);
}

/* ---- records -------------------------------------------------------------- */

static void options(struct tcphs_values *v, const struct tcphs_segment *s)
{
	struct tcphs_options d;

	tcphs_options_decode(s, &d);
	tcphs_value_begin(v, "options", '{');
	number(v, "mss", d.has_mss, d.mss);
	number(v, "wscale", d.has_wscale, d.wscale);
	tcphs_value_truth(v, "sack_permitted", d.sack_permitted);
	number(v, "tsval", d.has_timestamps, d.tsval);
	number(v, "tsecr", d.has_timestamps, d.tsecr);
	/* An empty option asks for a cookie. */
	if (d.has_fastopen && d.cookie_len)
		tcphs_value_hex(v, "fastopen", d.cookie, d.cookie_len);
	else
		tcphs_value_word(v, "fastopen", d.has_fastopen ? "request" : NULL);
	tcphs_value_truth(v, "mptcp", d.mptcp);
	tcphs_value_end(v, '}');
}

/* As on the wire, in hexadecimal: order and padding, too. */
static void option_bytes(struct tcphs_values *v, const struct tcphs_segment *s)
{
	unsigned int header = tcphs_options_header(s);

	tcphs_value_hex(v, "option_bytes", s->options, header > 20 ? header - 20 : 0);
}

static void numbers(struct tcphs_values *v, unsigned int has, const struct tcphs_numbers *nr)
{
	bool any = !(has & TCPHS_HAS_BIRTH);

	number(v, "snd_nxt", any && has & TCPHS_HAS_SND_NXT, nr->snd_nxt);
	number(v, "snd_una", any && has & TCPHS_HAS_SND_UNA, nr->snd_una);
	number(v, "rcv_nxt", any && has & TCPHS_HAS_RCV_NXT, nr->rcv_nxt);
	number(v, "write_seq", any && has & TCPHS_HAS_WRITE_SEQ, nr->write_seq);
	number(v, "iss", any && has & TCPHS_HAS_ISS, nr->iss);
	number(v, "irs", any && has & TCPHS_HAS_IRS, nr->irs);
}

static void owner(struct tcphs_values *v, bool known, uint32_t pid, uint32_t uid,
		  const char *command)
{
	number(v, "pid", known, pid);
	comm(v, known, command);
	number(v, "uid", uid != TCPHS_UID_UNKNOWN, uid);
}

static void transition(struct tcphs_values *v, const struct tcphs_transition *t)
{
	struct tcphs_numbers nr = t->nr;
	bool birth = t->has & TCPHS_HAS_BIRTH;
	bool closed = t->new == TCPHS_CLOSE;
	bool told = closed && t->via == TCPHS_VIA_TRACEPOINT;
	bool request = t->via == TCPHS_VIA_REQUEST;

	state(v, "old", t->old);
	state(v, "new", t->new);
	tcphs_value_word(v, "via", tcphs_names_via(t->via));
	numbers(v, t->has, &nr);
	owner(v, t->has & TCPHS_HAS_OWNER, t->pid, t->uid, t->comm);
	number(v, "cgroup", birth && t->birth.cgroup, t->birth.cgroup);
	number(v, "mark", birth, t->birth.mark);
	number(v, "backlog", birth && t->new == TCPHS_LISTEN, t->birth.backlog);
	tcphs_value_word(v, "error", closed ? tcphs_names_error(t->error) : NULL);
	number(v, "unread", told, t->unread);
	number(v, "timeouts", told, t->timeouts);
	truth(v, "linger", closed, t->fact & TCPHS_FACT_LINGER);
	truth(v, "process", closed, t->fact & TCPHS_FACT_PROCESS);
	truth(v, "dead", closed, t->fact & TCPHS_FACT_DEAD);
	name64(v, "listener", request ? t->queues.listener : 0);
	number(v, "drops", request, t->queues.drops);
	number(v, "syns", request, t->queues.syns);
	number(v, "accepts", request, t->queues.accepts);
}

static void segment(struct tcphs_values *v, const struct tcphs_segment *s)
{
	tcphs_value_word(v, "dir", s->mark & TCPHS_SEG_OUT ? "out" : "in");
	flags(v, s->flags);
	tcphs_value_number(v, "seq", s->seq);
	number(v, "ack", s->flags & TCPHS_ACK, s->ack);
	tcphs_value_number(v, "len", s->len);
	tcphs_value_number(v, "win", s->win);
	options(v, s);
	tcphs_value_truth(v, "retransmit", s->mark & TCPHS_SEG_RETRANSMIT);
	tcphs_value_number(v, "header", tcphs_options_header(s));
	number(v, "urg", s->flags & TCPHS_URG, s->urg);
	state(v, "state", s->state);
	tcphs_value_truth(v, "cookie", s->mark & TCPHS_SEG_COOKIE);
	tcphs_value_word(v, "socket", s->mark & TCPHS_SEG_MINI ? "mini" :
				      s->mark & TCPHS_SEG_NO_SOCKET ? "none" : "full");
	tcphs_value_truth(v, "probe", s->mark & TCPHS_SEG_PROBE);
	tcphs_value_truth(v, "answer", s->mark & TCPHS_SEG_ANSWER);
	tcphs_value_truth(v, "accept_full", s->mark & TCPHS_SEG_ACCEPT_FULL);
	tcphs_value_number(v, "reserved", s->offset & 0xf);
	option_bytes(v, s);
}

static void reset(struct tcphs_values *v, const struct tcphs_reset *r)
{
	struct tcphs_numbers nr = r->nr;

	tcphs_value_word(v, "dir", r->out ? "out" : "in");
	tcphs_value_word(v, "reason", r->reason == TCPHS_REASON_UNKNOWN ? NULL :
				      tcphs_names_reason(r->reason));
	state(v, "state", r->state);
	tcphs_value_number(v, "unread", r->unread);
	tcphs_value_number(v, "probes", r->probes);
	tcphs_value_word(v, "error", tcphs_names_error(r->error));
	tcphs_value_truth(v, "linger", r->fact & TCPHS_FACT_LINGER);
	tcphs_value_truth(v, "process", r->fact & TCPHS_FACT_PROCESS);
	tcphs_value_truth(v, "dead", r->fact & TCPHS_FACT_DEAD);
	tcphs_value_truth(v, "reply", r->fact & TCPHS_FACT_REPLY);
	numbers(v, r->has, &nr);
	owner(v, r->has & TCPHS_HAS_OWNER, r->pid, r->uid, r->comm);
}

static void destroy(struct tcphs_values *v, const struct tcphs_destroy *d)
{
	tcphs_value_number(v, "retransmits", d->retransmits);
	tcphs_value_number(v, "bytes_sent", d->bytes_sent);
	tcphs_value_number(v, "bytes_acked", d->bytes_acked);
	tcphs_value_number(v, "bytes_received", d->bytes_received);
	tcphs_value_number(v, "bytes_retrans", d->bytes_retrans);
	tcphs_value_number(v, "segs_in", d->segs_in);
	tcphs_value_number(v, "segs_out", d->segs_out);
	tcphs_value_number(v, "data_segs_in", d->data_segs_in);
	tcphs_value_number(v, "data_segs_out", d->data_segs_out);
	tcphs_value_number(v, "drops", d->drops);
	number(v, "rtt_us", d->rtt_us, d->rtt_us);
	number(v, "min_rtt_us", d->min_rtt_us, d->min_rtt_us);
}

static void ends(struct tcphs_values *v, const struct tcphs_record *r, uint32_t netns)
{
	struct tcphs_tuple t;

	tcphs_address_tuple(r, &t);
	number(v, "netns", netns, netns);
	/* Of a listener's family nothing follows but its own address. */
	tcphs_value_word(v, "family", t.inet6 ? "inet6" : "inet");
	address(v, "saddr", t.lport, t.local, t.inet6);
	number(v, "sport", t.lport, t.lport);
	address(v, "daddr", t.rport, t.remote, t.inet6);
	number(v, "dport", t.rport, t.rport);
	name64(v, "sock", r->sock);
	tcphs_value_truth(v, "mapped", r->flags & TCPHS_V4MAPPED);
}

/* Of lost records it is not known whose they were. */
static void ends_unknown(struct tcphs_values *v)
{
	static const char *const names[] = { "netns", "family", "saddr", "sport", "daddr",
					     "dport", "sock", "mapped" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		tcphs_value_word(v, names[i], NULL);
}

/* What the header of its stream says, so that each record can be read alone. */
static void write_stream(struct tcphs_values *v, const struct tcphs_host *host)
{
	static const char *const segments[] = { "none", "handshake", "all" };

	name(v, "host", host ? host->name : "");
	name(v, "boot", host ? host->boot : "");
	name64(v, "session", host ? host->session : 0);
	name(v, "release", host ? host->release : "");
	tcphs_value_word(v, "segments", host ? segments[host->segments] : NULL);
	number(v, "missing", host, host ? host->missing : 0);
	number(v, "complete", host, host ? host->complete : 0);
}

/* It is the same for most records: as it was written the last time. */
static void stream(struct tcphs_values *v, const struct tcphs_host *host)
{
	static struct tcphs_host last;
	static struct tcphs_values written;

	if (!host) {
		write_stream(v, NULL);
		return;
	}
	if (!written.w.used || memcmp(&last, host, sizeof(last))) {
		memcpy(&last, host, sizeof(last));
		written.w.used = 0;
		written.more = true;
		write_stream(&written, host);
	}
	tcphs_writer_bytes(&v->w, written.w.text, written.w.used);
}

static void record(struct tcphs_values *v, const struct tcphs_record *r,
		   const struct tcphs_hosts *hosts)
{
	const struct tcphs_host *host = tcphs_host_of(hosts, r->netns);
	struct tcphs_record own;

	/* Names of sockets as in its own recording: the session is told, too. */
	if (host && host->key) {
		own = *r;
		tcphs_host_rename(&own, host->key);
		r = &own;
	}
	begin(v, stdout);
	tcphs_value_word(v, "kind", tcphs_names_kind(r->kind));
	tcphs_value_number(v, "cpu", r->cpu);
	tcphs_value_number(v, "n", r->n);
	tcphs_value_number(v, "ts", r->ts);
	wall(v, r->ts, tcphs_host_wall(hosts));
	stream(v, host);
	if (r->kind == TCPHS_LOST) {
		ends_unknown(v);
		if (r->flags & TCPHS_SOME)
			tcphs_value_null(v, "count");
		else
			tcphs_value_number(v, "count", r->lost.count);
		number(v, "since", r->lost.since, r->lost.since);
		number(v, "until", r->lost.until, r->lost.until);
		return;
	}
	ends(v, r, tcphs_host_netns(hosts, r->netns));
	switch (r->kind) {
	case TCPHS_TRANSITION:
		transition(v, &r->transition);
		break;
	case TCPHS_SEGMENT:
		segment(v, &r->segment);
		break;
	case TCPHS_RESET:
		reset(v, &r->reset);
		break;
	case TCPHS_DESTROY:
		destroy(v, &r->destroy);
		break;
	case TCPHS_ACCEPT:
		state(v, "state", r->accept.state);
		name64(v, "listener", r->accept.listener);
		owner(v, true, r->accept.pid, r->accept.uid, r->accept.comm);
		number(v, "cgroup", r->accept.cgroup, r->accept.cgroup);
		number(v, "mark", true, r->accept.mark);
		break;
	}
}

void tcphs_json_record(const struct tcphs_record *r, const struct tcphs_hosts *hosts)
{
	struct tcphs_values v;

	record(&v, r, hosts);
	finish(&v);
}

void tcphs_json_numbered(const struct tcphs_record *r, const struct tcphs_hosts *hosts,
			 unsigned long connection)
{
	struct tcphs_values v;

	record(&v, r, hosts);
	number(&v, "conn", connection, connection);
	finish(&v);
}

/* ---- connections ---------------------------------------------------------- */

static void states(struct tcphs_values *v, const struct tcphs_stay *stay, size_t count)
{
	size_t i;

	tcphs_value_begin(v, "states", '[');
	for (i = 0; i < count; i++) {
		tcphs_value_begin(v, NULL, '{');
		number(v, "ts", stay[i].ts, stay[i].ts);
		state(v, "state", stay[i].state);
		tcphs_value_end(v, '}');
	}
	tcphs_value_end(v, ']');
}

static void process(struct tcphs_values *v, const char *key, const struct tcphs_owner *p)
{
	if (!p->known) {
		tcphs_value_null(v, key);
		return;
	}
	tcphs_value_begin(v, key, '{');
	tcphs_value_number(v, "pid", p->pid);
	comm(v, true, p->comm);
	tcphs_value_end(v, '}');
}

static void side(struct tcphs_values *v, const char *key, const struct tcphs_side *s)
{
	bool known = s->socket && s->owner.known;

	tcphs_value_begin(v, key, '{');
	address(v, "addr", s->port, s->address, s->inet6);
	number(v, "port", s->port, s->port);
	number(v, "isn", s->isn_known, s->isn);
	number(v, "netns", s->netns, s->netns);
	number(v, "pid", known, s->owner.pid);
	comm(v, known, s->owner.comm);
	if (s->nstates)
		states(v, s->states, s->nstates);
	else
		tcphs_value_null(v, "states");
	number(v, "uid", s->socket && s->uid != TCPHS_UID_UNKNOWN, s->uid);
	number(v, "cgroup", s->cgroup, s->cgroup);
	number(v, "mark", s->mark_known, s->mark);
	process(v, "closed_by", &s->closer);
	number(v, "isn_before", s->before.known && s->before.iss_known, s->before.iss);
	name(v, "host", s->host ? s->host->name : "");
	name(v, "boot", s->host ? s->host->boot : "");
	tcphs_value_end(v, '}');
}

static void explained(struct tcphs_values *v, const struct tcphs_explain *x, size_t i)
{
	char *words = tcphs_explain_step(x, i, TCPHS_EXPLAIN_WHOLE);

	tcphs_value_text(v, "explain", words);
	free(words);
}

/* `x` NULL: without "explain". */
static void steps(struct tcphs_values *v, const struct tcphs_connection *c,
		  const struct tcphs_explain *x)
{
	size_t i;

	tcphs_value_begin(v, "steps", '[');
	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];
		const struct tcphs_segment *s = &step->segment;

		/* States that no segment changed are in each end's `states`. */
		if (step->kind != TCPHS_STEP_SEGMENT)
			continue;
		tcphs_value_begin(v, NULL, '{');
		number(v, "ts", step->ts, step->ts);
		tcphs_value_word(v, "from", step->from == TCPHS_CLIENT ? "client" : "server");
		flags(v, s->flags);
		tcphs_value_number(v, "seq", s->seq);
		number(v, "ack", s->flags & TCPHS_ACK, s->ack);
		tcphs_value_number(v, "len", s->len);
		truth(v, "retransmit", tcphs_copies_is_known(c, step), step->retransmit);
		state(v, "client", step->after[TCPHS_CLIENT]);
		state(v, "server", step->after[TCPHS_SERVER]);
		tcphs_value_text(v, "note", step->note);
		number(v, "received", step->received, step->received);
		truth(v, "lost", tcphs_passage_is_known(c, step), step->lost);
		if (x)
			explained(v, x, i);
		tcphs_value_end(v, '}');
	}
	tcphs_value_end(v, ']');
}

static void copies(struct tcphs_values *v, const char *key, const struct tcphs_connection *c,
		   enum tcphs_copies kind)
{
	number(v, key, c->copies[kind] >= 0, c->copies[kind]);
}

static void connection(FILE *to, const struct tcphs_connection *c,
		       const struct tcphs_explain *x)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];
	const struct tcphs_side *here = client->netns ? client : server;
	struct tcphs_values values, *v = &values;
	uint64_t lasted = 0;
	bool lasts = tcphs_connection_lasted(c, &lasted);

	begin(v, to);
	tcphs_value_word(v, "kind", "connection");
	number(v, "netns", here->netns, here->netns);
	tcphs_value_word(v, "family", here->inet6 ? "inet6" : "inet");
	side(v, "client", client);
	side(v, "server", server);
	tcphs_value_word(v, "open", tcphs_verdict_open(c->open));
	tcphs_value_word(v, "close", tcphs_verdict_close(c->close));
	us(v, "open_us", c->opened, c->opened);
	us(v, "duration_us", lasts, lasted);
	tcphs_value_begin(v, "bytes", '{');
	number(v, "client", client->bytes_known, client->bytes);
	number(v, "server", server->bytes_known, server->bytes);
	tcphs_value_end(v, '}');
	tcphs_value_begin(v, "retransmits", '{');
	copies(v, "syn", c, TCPHS_COPIES_SYN);
	copies(v, "synack", c, TCPHS_COPIES_SYNACK);
	copies(v, "fin", c, TCPHS_COPIES_FIN);
	copies(v, "data", c, TCPHS_COPIES_DATA);
	tcphs_value_end(v, '}');
	tcphs_value_word(v, "record", tcphs_verdict_whole(c->whole));
	steps(v, c, x);
	tcphs_value_number(v, "start", c->start);
	wall(v, c->start, c->wall_offset);
	tcphs_value_word(v, "roles", c->assumed ? "assumed" : "seen");
	number(v, "half_close_bytes", c->half_bytes_known, c->half_bytes);
	us(v, "clock_error_us", c->hosts && c->clock_error != UINT64_MAX, c->clock_error);
	if (x) {
		tcphs_value_begin(v, "explain", '{');
		tcphs_value_text(v, "open", c->open_rule);
		tcphs_value_text(v, "close", c->close_rule);
		tcphs_value_end(v, '}');
	}
	finish(v);
}

void tcphs_json_connection(FILE *to, const struct tcphs_connection *c)
{
	connection(to, c, NULL);
}

void tcphs_json_explained(FILE *to, const struct tcphs_connection *c)
{
	struct tcphs_explain x;

	/* The numbers of the JSON are absolute. */
	tcphs_explain_begin(&x, c, true);
	connection(to, c, &x);
}

/* ---- the rest ------------------------------------------------------------- */

/* Kinds and how many of them there were. */
static void count_kind(struct tcphs_values *v, const char *kind, uint64_t count)
{
	if (kind)
		tcphs_value_number(v, kind, count);
}

void tcphs_json_summary(const struct tcphs_summary *s, uint64_t lost)
{
	struct tcphs_summary_bar bar[TCPHS_SUMMARY_BARS];
	size_t bars = tcphs_summary_bars(s, bar), i;
	struct tcphs_values values, *v = &values;
	bool known = s->handshakes;

	begin(v, stdout);
	tcphs_value_word(v, "kind", "summary");
	tcphs_value_number(v, "connections", s->connections);
	tcphs_value_number(v, "listeners", s->listeners);
	tcphs_value_begin(v, "opens", '{');
	for (i = 0; i <= TCPHS_OPEN_UNSEEN; i++)
		count_kind(v, tcphs_verdict_open(i), s->opens[i]);
	tcphs_value_end(v, '}');
	tcphs_value_begin(v, "closes", '{');
	for (i = 0; i <= TCPHS_CLOSE_UNSEEN; i++)
		count_kind(v, tcphs_verdict_close(i), s->closes[i]);
	tcphs_value_end(v, '}');
	tcphs_value_begin(v, "records", '{');
	for (i = 0; i <= TCPHS_WHOLE_LOSSY; i++)
		count_kind(v, tcphs_verdict_whole(i), s->wholes[i]);
	tcphs_value_end(v, '}');
	tcphs_value_begin(v, "open_us", '{');
	tcphs_value_number(v, "count", s->handshakes);
	us(v, "min", known, s->shortest);
	us(v, "p50", known, tcphs_summary_percentile(s, 50));
	us(v, "p90", known, tcphs_summary_percentile(s, 90));
	us(v, "p99", known, tcphs_summary_percentile(s, 99));
	us(v, "max", known, s->longest);
	tcphs_value_begin(v, "histogram", '[');
	for (i = 0; i < bars; i++) {
		tcphs_value_begin(v, NULL, '{');
		us(v, "from", true, bar[i].from);
		us(v, "to", true, bar[i].to);
		tcphs_value_number(v, "count", bar[i].count);
		tcphs_value_end(v, '}');
	}
	tcphs_value_end(v, ']');
	tcphs_value_end(v, '}');
	tcphs_value_number(v, "lost", lost);
	finish(v);
}

void tcphs_json_hosts(const struct tcphs_hosts *hosts)
{
	static const char *const how[] = { "reference", "exchange", "wall" };
	struct tcphs_values values, *v = &values;
	size_t i;

	if (!tcphs_host_several(hosts))
		return;
	for (i = 0; i < hosts->count; i++) {
		const struct tcphs_host *host = &hosts->host[i];
		const struct tcphs_align_clock *c = &host->clock;

		begin(v, stdout);
		tcphs_value_word(v, "kind", "host");
		name(v, "host", host->name);
		name(v, "boot", host->boot);
		tcphs_value_word(v, "clock", how[c->how]);
		tcphs_value_signed(v, "offset", c->offset);
		number(v, "error", c->how != TCPHS_ALIGN_WALL, c->error);
		tcphs_value_real(v, "drift_ppm", c->drift * 1e6);
		tcphs_value_truth(v, "uneven", c->uneven);
		tcphs_value_number(v, "segments", c->segments);
		finish(v);
	}
}

/* The states of a listener. */
static void lives(struct tcphs_values *v, const struct tcphs_end *l)
{
	bool begun = false;
	size_t i;

	tcphs_value_begin(v, "states", '[');
	for (i = 0; i < l->records; i++) {
		const struct tcphs_transition *t = &l->record[i].transition;

		if (l->record[i].kind != TCPHS_TRANSITION)
			continue;
		if (!begun) {
			tcphs_value_begin(v, NULL, '{');
			tcphs_value_null(v, "ts");
			state(v, "state", t->old);
			tcphs_value_end(v, '}');
		}
		begun = true;
		if (t->old == t->new)
			continue;
		tcphs_value_begin(v, NULL, '{');
		tcphs_value_number(v, "ts", l->record[i].ts);
		state(v, "state", t->new);
		tcphs_value_end(v, '}');
	}
	tcphs_value_end(v, ']');
}

static void listener(FILE *to, const struct tcphs_end *l, const struct tcphs_context *x)
{
	const struct tcphs_host *host = tcphs_host_of(x->hosts, l->netns);
	uint32_t netns = tcphs_host_netns(x->hosts, l->netns);
	const struct tcphs_transition *t, *owner_of = NULL;
	const struct tcphs_listener_counts *n = &l->counts;
	const struct tcphs_destroy *d = NULL;
	bool counted = x->segments != TCPHS_SEGMENTS_NONE && !tcphs_listener_is_lossy(l);
	struct tcphs_values values, *v = &values;
	bool backlog_known = false;
	uint32_t backlog = 0;
	size_t i;

	for (i = 0; i < l->records; i++) {
		t = &l->record[i].transition;
		if (l->record[i].kind == TCPHS_DESTROY)
			d = &l->record[i].destroy;
		if (l->record[i].kind != TCPHS_TRANSITION)
			continue;
		if (t->has & TCPHS_HAS_OWNER && !owner_of)
			owner_of = t;
		if (t->has & TCPHS_HAS_BIRTH && t->new == TCPHS_LISTEN) {
			/* listen() again changes the backlog. */
			backlog_known = true;
			backlog = t->birth.backlog;
		}
	}
	begin(v, to);
	tcphs_value_word(v, "kind", "listener");
	tcphs_value_word(v, "family", l->tuple.inet6 ? "inet6" : "inet");
	address(v, "addr", l->tuple.lport, l->tuple.local, l->tuple.inet6);
	number(v, "port", l->tuple.lport, l->tuple.lport);
	number(v, "netns", netns, netns);
	name(v, "host", host ? host->name : "");
	name(v, "boot", host ? host->boot : "");
	number(v, "pid", owner_of, owner_of ? owner_of->pid : 0);
	comm(v, owner_of, owner_of ? owner_of->comm : "");
	number(v, "backlog", backlog_known, backlog);
	lives(v, l);
	number(v, "syns", counted, n->syns);
	number(v, "synacks", counted, n->synacks);
	number(v, "cookies_sent", counted, n->cookies_sent);
	number(v, "cookies_accepted", counted, n->cookies_accepted);
	number(v, "cookies_failed", counted, n->cookies_failed);
	number(v, "dropped", counted, n->unanswered);
	number(v, "overflowed", counted, n->overflowed);
	number(v, "drops", d, d ? d->drops : 0);
	tcphs_value_word(v, "record", tcphs_listener_whole(l));
	finish(v);
}

void tcphs_json_listener(const struct tcphs_end *l, const struct tcphs_context *x)
{
	listener(stdout, l, x);
}

json_t *tcphs_json_listener_new(const struct tcphs_end *l, const struct tcphs_context *x)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	json_t *value;

	if (!to)
		tcphs_memory_fail();
	listener(to, l, x);
	if (fclose(to))
		tcphs_memory_fail();
	value = json_loads(text, 0, NULL);
	free(text);
	return value;
}
