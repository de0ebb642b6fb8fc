// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "explain.h"
#include "json.h"
#include "listener.h"
#include "names.h"
#include "options.h"
#include "output.h"
#include "verdict.h"

/* ---- values --------------------------------------------------------------- */

static void set(json_t *o, const char *name, json_t *value)
{
	json_object_set_new(o, name, value ? value : json_null());
}

static json_t *number(bool known, uint64_t value)
{
	return known ? json_integer(value) : json_null();
}

static json_t *truth(bool known, bool value)
{
	return known ? json_boolean(value) : json_null();
}

static json_t *text(const char *value)
{
	return value ? json_string(value) : json_null();
}

static json_t *comm(bool known, const char *value)
{
	char clean[32];

	if (!known)
		return json_null();
	return json_string(tcphs_output_clean(value, clean, sizeof(clean)));
}

/* 64 bits do not fit into every JSON reader's numbers. */
static json_t *name64(uint64_t value)
{
	char hex[20];

	if (!value)
		return json_null();
	snprintf(hex, sizeof(hex), "%016" PRIx64, value);
	return json_string(hex);
}

static json_t *address(bool known, const uint8_t *bytes, bool inet6)
{
	char name[TCPHS_ADDRESS_SIZE];

	return known ? json_string(tcphs_address_text(bytes, inet6, name)) : json_null();
}

static json_t *state(unsigned int value)
{
	return text(tcphs_names_state(value));
}

static json_t *flags(unsigned int value)
{
	json_t *array = json_array();
	const char *name;
	unsigned int i;

	for (i = 0; (name = tcphs_names_flag(value, i)); i++)
		json_array_append_new(array, json_string(name));
	return array;
}

static void print(json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT | JSON_ENSURE_ASCII |
		   JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(o);
}

/* ---- records -------------------------------------------------------------- */

static json_t *options(const struct tcphs_segment *s)
{
	struct tcphs_options d;
	json_t *o = json_object();
	char cookie[33];

	tcphs_options_decode(s, &d);
	set(o, "mss", number(d.has_mss, d.mss));
	set(o, "wscale", number(d.has_wscale, d.wscale));
	set(o, "sack_permitted", json_boolean(d.sack_permitted));
	set(o, "tsval", number(d.has_timestamps, d.tsval));
	set(o, "tsecr", number(d.has_timestamps, d.tsecr));
	/* An empty option asks for a cookie. */
	set(o, "fastopen", !d.has_fastopen ? json_null() :
			   !d.cookie_len ? json_string("request") :
			   json_string(tcphs_options_cookie(&d, cookie)));
	set(o, "mptcp", json_boolean(d.mptcp));
	return o;
}

/* As on the wire, in hexadecimal: order and padding, too. */
static json_t *option_bytes(const struct tcphs_segment *s)
{
	unsigned int header = tcphs_options_header(s), i;
	char hex[2 * sizeof(s->options) + 1] = "";

	for (i = 0; i + 20 < header; i++)
		sprintf(hex + 2 * i, "%02x", s->options[i]);
	return json_string(hex);
}

static void numbers(json_t *o, unsigned int has, const struct tcphs_numbers *nr)
{
	bool any = !(has & TCPHS_HAS_BIRTH);

	set(o, "snd_nxt", number(any && has & TCPHS_HAS_SND_NXT, nr->snd_nxt));
	set(o, "snd_una", number(any && has & TCPHS_HAS_SND_UNA, nr->snd_una));
	set(o, "rcv_nxt", number(any && has & TCPHS_HAS_RCV_NXT, nr->rcv_nxt));
	set(o, "write_seq", number(any && has & TCPHS_HAS_WRITE_SEQ, nr->write_seq));
	set(o, "iss", number(any && has & TCPHS_HAS_ISS, nr->iss));
	set(o, "irs", number(any && has & TCPHS_HAS_IRS, nr->irs));
}

static void owner(json_t *o, bool known, uint32_t pid, uint32_t uid, const char *name)
{
	set(o, "pid", number(known, pid));
	set(o, "comm", comm(known, name));
	set(o, "uid", number(uid != TCPHS_UID_UNKNOWN, uid));
}

static void transition(json_t *o, const struct tcphs_transition *t)
{
	struct tcphs_numbers nr = t->nr;
	bool birth = t->has & TCPHS_HAS_BIRTH;
	bool closed = t->new == TCPHS_CLOSE;
	bool request = t->via == TCPHS_VIA_REQUEST;

	set(o, "old", state(t->old));
	set(o, "new", state(t->new));
	set(o, "via", text(tcphs_names_via(t->via)));
	numbers(o, t->has, &nr);
	owner(o, t->has & TCPHS_HAS_OWNER, t->pid, t->uid, t->comm);
	set(o, "cgroup", number(birth && t->birth.cgroup, t->birth.cgroup));
	set(o, "mark", number(birth, t->birth.mark));
	set(o, "backlog", number(birth && t->new == TCPHS_LISTEN, t->birth.backlog));
	set(o, "error", closed ? text(tcphs_names_error(t->error)) : json_null());
	set(o, "unread", number(closed && t->via == TCPHS_VIA_TRACEPOINT, t->unread));
	set(o, "timeouts", number(closed && t->via == TCPHS_VIA_TRACEPOINT, t->timeouts));
	set(o, "linger", truth(closed, t->fact & TCPHS_FACT_LINGER));
	set(o, "process", truth(closed, t->fact & TCPHS_FACT_PROCESS));
	set(o, "dead", truth(closed, t->fact & TCPHS_FACT_DEAD));
	set(o, "listener", name64(request ? t->queues.listener : 0));
	set(o, "drops", number(request, t->queues.drops));
	set(o, "syns", number(request, t->queues.syns));
	set(o, "accepts", number(request, t->queues.accepts));
}

static void segment(json_t *o, const struct tcphs_segment *s)
{
	set(o, "dir", json_string(s->mark & TCPHS_SEG_OUT ? "out" : "in"));
	set(o, "flags", flags(s->flags));
	set(o, "seq", json_integer(s->seq));
	set(o, "ack", number(s->flags & TCPHS_ACK, s->ack));
	set(o, "len", json_integer(s->len));
	set(o, "win", json_integer(s->win));
	set(o, "options", options(s));
	set(o, "retransmit", json_boolean(s->mark & TCPHS_SEG_RETRANSMIT));
	set(o, "header", json_integer(tcphs_options_header(s)));
	set(o, "urg", number(s->flags & TCPHS_URG, s->urg));
	set(o, "state", state(s->state));
	set(o, "cookie", json_boolean(s->mark & TCPHS_SEG_COOKIE));
	set(o, "socket", json_string(s->mark & TCPHS_SEG_MINI ? "mini" :
				     s->mark & TCPHS_SEG_NO_SOCKET ? "none" : "full"));
	set(o, "probe", json_boolean(s->mark & TCPHS_SEG_PROBE));
	set(o, "answer", json_boolean(s->mark & TCPHS_SEG_ANSWER));
	set(o, "accept_full", json_boolean(s->mark & TCPHS_SEG_ACCEPT_FULL));
	set(o, "reserved", json_integer(s->offset & 0xf));
	set(o, "option_bytes", option_bytes(s));
}

static void reset(json_t *o, const struct tcphs_reset *r)
{
	set(o, "dir", json_string(r->out ? "out" : "in"));
	set(o, "reason", text(r->reason == TCPHS_REASON_UNKNOWN ? NULL :
			      tcphs_names_reason(r->reason)));
	set(o, "state", state(r->state));
	set(o, "unread", json_integer(r->unread));
	set(o, "probes", json_integer(r->probes));
	set(o, "error", text(tcphs_names_error(r->error)));
	set(o, "linger", json_boolean(r->fact & TCPHS_FACT_LINGER));
	set(o, "process", json_boolean(r->fact & TCPHS_FACT_PROCESS));
	set(o, "dead", json_boolean(r->fact & TCPHS_FACT_DEAD));
	set(o, "reply", json_boolean(r->fact & TCPHS_FACT_REPLY));
	numbers(o, r->has, &r->nr);
	owner(o, r->has & TCPHS_HAS_OWNER, r->pid, r->uid, r->comm);
}

static void destroy(json_t *o, const struct tcphs_destroy *d)
{
	set(o, "retransmits", json_integer(d->retransmits));
	set(o, "bytes_sent", json_integer(d->bytes_sent));
	set(o, "bytes_acked", json_integer(d->bytes_acked));
	set(o, "bytes_received", json_integer(d->bytes_received));
	set(o, "bytes_retrans", json_integer(d->bytes_retrans));
	set(o, "segs_in", json_integer(d->segs_in));
	set(o, "segs_out", json_integer(d->segs_out));
	set(o, "data_segs_in", json_integer(d->data_segs_in));
	set(o, "data_segs_out", json_integer(d->data_segs_out));
	set(o, "drops", json_integer(d->drops));
	set(o, "rtt_us", number(d->rtt_us, d->rtt_us));
	set(o, "min_rtt_us", number(d->min_rtt_us, d->min_rtt_us));
}

static void ends(json_t *o, const struct tcphs_record *r, uint32_t netns)
{
	struct tcphs_tuple t;

	tcphs_address_tuple(r, &t);
	set(o, "netns", number(netns, netns));
	/* Of a listener's family nothing follows but its own address. */
	set(o, "family", json_string(t.inet6 ? "inet6" : "inet"));
	set(o, "saddr", address(t.lport, t.local, t.inet6));
	set(o, "sport", number(t.lport, t.lport));
	set(o, "daddr", address(t.rport, t.remote, t.inet6));
	set(o, "dport", number(t.rport, t.rport));
	set(o, "sock", name64(r->sock));
	set(o, "mapped", json_boolean(r->flags & TCPHS_V4MAPPED));
}

/* Empty is unknown. */
static json_t *name(const char *value)
{
	return *value ? json_string(value) : json_null();
}

/* What the header of its stream says, so that each record can be read alone. */
static void stream(json_t *o, const struct tcphs_host *host)
{
	static const char *const segments[] = { "none", "handshake", "all" };

	set(o, "session", name64(host ? host->session : 0));
	set(o, "release", name(host ? host->release : ""));
	set(o, "segments", text(host ? segments[host->segments] : NULL));
	set(o, "missing", number(host, host ? host->missing : 0));
	set(o, "complete", number(host && host->complete != TCPHS_HOST_UNKNOWN,
				  host ? host->complete : 0));
}

static json_t *record(const struct tcphs_record *r, const struct tcphs_hosts *hosts)
{
	const struct tcphs_host *host = tcphs_host_of(hosts, r->netns);
	uint32_t netns = tcphs_host_netns(hosts, r->netns);
	json_t *o = json_object();

	set(o, "kind", text(tcphs_names_kind(r->kind)));
	set(o, "cpu", json_integer(r->cpu));
	set(o, "n", json_integer(r->n));
	set(o, "ts", json_integer(r->ts));
	set(o, "wall", json_integer((int64_t)r->ts + tcphs_host_wall(hosts)));
	set(o, "host", name(host ? host->name : ""));
	set(o, "boot", name(host ? host->boot : ""));
	stream(o, host);
	if (r->kind == TCPHS_LOST) {
		set(o, "count", json_integer(r->lost.count));
		set(o, "since", number(r->lost.since, r->lost.since));
		return o;
	}
	ends(o, r, netns);
	switch (r->kind) {
	case TCPHS_TRANSITION:
		transition(o, &r->transition);
		break;
	case TCPHS_SEGMENT:
		segment(o, &r->segment);
		break;
	case TCPHS_RESET:
		reset(o, &r->reset);
		break;
	case TCPHS_DESTROY:
		destroy(o, &r->destroy);
		break;
	case TCPHS_ACCEPT:
		set(o, "state", state(r->accept.state));
		set(o, "listener", name64(r->accept.listener));
		owner(o, true, r->accept.pid, r->accept.uid, r->accept.comm);
		set(o, "cgroup", number(r->accept.cgroup, r->accept.cgroup));
		set(o, "mark", number(true, r->accept.mark));
		break;
	}
	return o;
}

void tcphs_json_record(const struct tcphs_record *r, const struct tcphs_hosts *hosts)
{
	print(record(r, hosts));
}

void tcphs_json_numbered(const struct tcphs_record *r, const struct tcphs_hosts *hosts,
			 unsigned long connection)
{
	json_t *o = record(r, hosts);

	set(o, "conn", number(connection, connection));
	print(o);
}

/* ---- connections ---------------------------------------------------------- */

static json_t *states(const struct tcphs_stay *stay, size_t count)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < count; i++) {
		json_t *o = json_object();

		set(o, "ts", number(stay[i].ts, stay[i].ts));
		set(o, "state", state(stay[i].state));
		json_array_append_new(array, o);
	}
	return array;
}

static json_t *process(const struct tcphs_owner *p)
{
	json_t *o;

	if (!p->known)
		return json_null();
	o = json_object();
	set(o, "pid", json_integer(p->pid));
	set(o, "comm", comm(true, p->comm));
	return o;
}

static json_t *side(const struct tcphs_side *s)
{
	bool known = s->socket && s->owner.known;
	json_t *o = json_object();

	set(o, "addr", address(s->port, s->address, s->inet6));
	set(o, "port", number(s->port, s->port));
	set(o, "isn", number(s->isn_known, s->isn));
	set(o, "netns", number(s->netns, s->netns));
	set(o, "pid", number(known, s->owner.pid));
	set(o, "comm", comm(known, s->owner.comm));
	set(o, "states", s->nstates ? states(s->states, s->nstates) : json_null());
	set(o, "uid", number(s->socket && s->uid != TCPHS_UID_UNKNOWN, s->uid));
	set(o, "cgroup", number(s->cgroup, s->cgroup));
	set(o, "mark", number(s->mark_known, s->mark));
	set(o, "closed_by", process(&s->closer));
	set(o, "isn_before", number(s->before.known && s->before.iss_known,
				    s->before.iss));
	set(o, "host", name(s->host ? s->host->name : ""));
	set(o, "boot", name(s->host ? s->host->boot : ""));
	return o;
}

/* The text of step i, which is freed. */
static json_t *explained(const struct tcphs_explain *x, size_t i)
{
	char *words = tcphs_explain_step(x, i, TCPHS_EXPLAIN_WHOLE);
	json_t *value = text(words);

	free(words);
	return value;
}

static void write_value(FILE *to, const json_t *value)
{
	json_dumpf(value, to, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
}

/* The members of an object, without its braces; the object is freed. */
static void write_members(FILE *to, json_t *o)
{
	const char *name, *before = "";
	json_t *value;

	json_object_foreach(o, name, value) {
		fprintf(to, "%s\"%s\":", before, name);
		json_dumpf(value, to, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY |
			   JSON_REAL_PRECISION(15));
		before = ",";
	}
	json_decref(o);
}

/* `x` NULL: without "explain". */
static void write_steps(FILE *to, const struct tcphs_connection *c,
			const struct tcphs_explain *x)
{
	const char *before = "";
	size_t i;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];
		const struct tcphs_segment *s = &step->segment;
		json_t *o;

		/* States that no segment changed are in each end's `states`. */
		if (step->kind != TCPHS_STEP_SEGMENT)
			continue;
		o = json_object();
		set(o, "ts", number(step->ts, step->ts));
		set(o, "from", json_string(step->from == TCPHS_CLIENT ? "client" :
								      "server"));
		set(o, "flags", flags(s->flags));
		set(o, "seq", json_integer(s->seq));
		set(o, "ack", number(s->flags & TCPHS_ACK, s->ack));
		set(o, "len", json_integer(s->len));
		set(o, "retransmit", json_boolean(step->retransmit));
		set(o, "client", state(step->after[TCPHS_CLIENT]));
		set(o, "server", state(step->after[TCPHS_SERVER]));
		set(o, "note", text(step->note));
		set(o, "received", number(step->received, step->received));
		set(o, "lost", json_boolean(step->lost));
		if (x)
			set(o, "explain", explained(x, i));
		fputs(before, to);
		write_value(to, o);
		json_decref(o);
		before = ",";
	}
}

static json_t *copies(const struct tcphs_connection *c, enum tcphs_copies kind)
{
	return number(c->copies[kind] >= 0, c->copies[kind]);
}

/* Nanoseconds as microseconds, with what is behind the point. */
static json_t *us(bool known, uint64_t ns)
{
	return known ? json_real(ns / 1e3) : json_null();
}

static void connection(FILE *to, const struct tcphs_connection *c,
		       const struct tcphs_explain *x)
{
	const struct tcphs_side *client = &c->side[TCPHS_CLIENT];
	const struct tcphs_side *server = &c->side[TCPHS_SERVER];
	const struct tcphs_side *here = client->netns ? client : server;
	json_t *o = json_object(), *part;

	set(o, "kind", json_string("connection"));
	set(o, "netns", number(here->netns, here->netns));
	set(o, "family", json_string(here->inet6 ? "inet6" : "inet"));
	set(o, "client", side(client));
	set(o, "server", side(server));
	set(o, "open", text(tcphs_verdict_open(c->open)));
	set(o, "close", text(tcphs_verdict_close(c->close)));
	set(o, "open_us", us(c->opened, c->opened));
	set(o, "duration_us", us(c->ended, c->ended - c->began));
	part = json_object();
	set(part, "client", number(client->bytes_known, client->bytes));
	set(part, "server", number(server->bytes_known, server->bytes));
	set(o, "bytes", part);
	part = json_object();
	set(part, "syn", copies(c, TCPHS_COPIES_SYN));
	set(part, "synack", copies(c, TCPHS_COPIES_SYNACK));
	set(part, "fin", copies(c, TCPHS_COPIES_FIN));
	set(part, "data", copies(c, TCPHS_COPIES_DATA));
	set(o, "retransmits", part);
	set(o, "record", text(tcphs_verdict_whole(c->whole)));
	putc('{', to);
	write_members(to, o);
	fputs(",\"steps\":[", to);
	write_steps(to, c, x);
	fputs("],", to);
	o = json_object();
	set(o, "start", json_integer(c->start));
	set(o, "wall", c->wall_offset ? json_integer((int64_t)c->start + c->wall_offset) :
					json_null());
	set(o, "roles", json_string(c->assumed ? "assumed" : "seen"));
	set(o, "half_close_bytes", number(c->half_bytes_known, c->half_bytes));
	set(o, "clock_error_us", us(c->hosts && c->clock_error != UINT64_MAX,
				    c->clock_error));
	if (x) {
		part = json_object();
		set(part, "open", text(c->open_rule));
		set(part, "close", text(c->close_rule));
		set(o, "explain", part);
	}
	write_members(to, o);
	fputs("}\n", to);
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

/* Kinds and how many of them there were. */
static void count_kind(json_t *o, const char *name, uint64_t count)
{
	if (name)
		set(o, name, json_integer(count));
}

void tcphs_json_summary(const struct tcphs_summary *s, uint64_t lost)
{
	json_t *o = json_object(), *part = json_object(), *array = json_array();
	struct tcphs_summary_bar bar[TCPHS_SUMMARY_BARS];
	size_t bars = tcphs_summary_bars(s, bar), i;
	bool known = s->handshakes;

	set(o, "kind", json_string("summary"));
	set(o, "connections", json_integer(s->connections));
	set(o, "listeners", json_integer(s->listeners));
	for (i = 0; i <= TCPHS_OPEN_UNSEEN; i++)
		count_kind(part, tcphs_verdict_open(i), s->opens[i]);
	set(o, "opens", part);
	part = json_object();
	for (i = 0; i <= TCPHS_CLOSE_UNSEEN; i++)
		count_kind(part, tcphs_verdict_close(i), s->closes[i]);
	set(o, "closes", part);
	part = json_object();
	for (i = 0; i <= TCPHS_WHOLE_LOSSY; i++)
		count_kind(part, tcphs_verdict_whole(i), s->wholes[i]);
	set(o, "records", part);
	part = json_object();
	set(part, "count", json_integer(s->handshakes));
	set(part, "min", us(known, s->shortest));
	set(part, "p50", us(known, tcphs_summary_percentile(s, 50)));
	set(part, "p90", us(known, tcphs_summary_percentile(s, 90)));
	set(part, "p99", us(known, tcphs_summary_percentile(s, 99)));
	set(part, "max", us(known, s->longest));
	for (i = 0; i < bars; i++) {
		json_t *b = json_object();

		set(b, "from", us(true, bar[i].from));
		set(b, "to", us(true, bar[i].to));
		set(b, "count", json_integer(bar[i].count));
		json_array_append_new(array, b);
	}
	set(part, "histogram", array);
	set(o, "open_us", part);
	set(o, "lost", json_integer(lost));
	print(o);
}

void tcphs_json_hosts(const struct tcphs_hosts *hosts)
{
	static const char *const how[] = { "reference", "exchange", "wall" };
	size_t i;

	if (!tcphs_host_several(hosts))
		return;
	for (i = 0; i < hosts->count; i++) {
		const struct tcphs_host *host = &hosts->host[i];
		const struct tcphs_align_clock *c = &host->clock;
		json_t *o = json_object();

		set(o, "kind", json_string("host"));
		set(o, "host", name(host->name));
		set(o, "boot", name(host->boot));
		set(o, "clock", json_string(how[c->how]));
		set(o, "offset", json_integer(c->offset));
		set(o, "error", number(c->how != TCPHS_ALIGN_WALL, c->error));
		set(o, "drift_ppm", json_real(c->drift * 1e6));
		set(o, "uneven", json_boolean(c->uneven));
		set(o, "segments", json_integer(c->segments));
		print(o);
	}
}

json_t *tcphs_json_listener_new(const struct tcphs_end *l, const struct tcphs_context *x)
{
	const struct tcphs_host *host = tcphs_host_of(x->hosts, l->netns);
	uint32_t netns = tcphs_host_netns(x->hosts, l->netns);
	const struct tcphs_transition *t, *owner_of = NULL;
	const struct tcphs_listener_counts *n = &l->counts;
	const struct tcphs_destroy *d = NULL;
	json_t *o = json_object(), *array = json_array(), *part;
	bool counted = x->segments != TCPHS_SEGMENTS_NONE;
	bool backlog_known = false;
	uint32_t backlog = 0;
	size_t i;

	for (i = 0; i < l->records; i++) {
		t = &l->record[i].transition;
		if (l->record[i].kind == TCPHS_DESTROY)
			d = &l->record[i].destroy;
		if (l->record[i].kind != TCPHS_TRANSITION)
			continue;
		if (!json_array_size(array)) {
			part = json_object();
			set(part, "ts", json_null());
			set(part, "state", state(t->old));
			json_array_append_new(array, part);
		}
		if (t->has & TCPHS_HAS_OWNER && !owner_of)
			owner_of = t;
		if (t->has & TCPHS_HAS_BIRTH && t->new == TCPHS_LISTEN) {
			/* listen() again changes the backlog. */
			backlog_known = true;
			backlog = t->birth.backlog;
		}
		if (t->old == t->new)
			continue;
		part = json_object();
		set(part, "ts", json_integer(l->record[i].ts));
		set(part, "state", state(t->new));
		json_array_append_new(array, part);
	}
	set(o, "kind", json_string("listener"));
	set(o, "family", json_string(l->tuple.inet6 ? "inet6" : "inet"));
	set(o, "addr", address(l->tuple.lport, l->tuple.local, l->tuple.inet6));
	set(o, "port", number(l->tuple.lport, l->tuple.lport));
	set(o, "netns", number(netns, netns));
	set(o, "host", name(host ? host->name : ""));
	set(o, "boot", name(host ? host->boot : ""));
	set(o, "pid", number(owner_of, owner_of ? owner_of->pid : 0));
	set(o, "comm", comm(owner_of, owner_of ? owner_of->comm : ""));
	set(o, "backlog", number(backlog_known, backlog));
	set(o, "states", array);
	set(o, "syns", number(counted, n->syns));
	set(o, "synacks", number(counted, n->synacks));
	set(o, "cookies_sent", number(counted, n->cookies_sent));
	set(o, "cookies_accepted", number(counted, n->cookies_accepted));
	set(o, "cookies_failed", number(counted, n->cookies_failed));
	set(o, "dropped", number(counted, n->unanswered));
	set(o, "overflowed", number(counted, n->overflowed));
	set(o, "drops", number(d, d ? d->drops : 0));
	set(o, "record", json_string(tcphs_listener_whole(l)));
	return o;
}

void tcphs_json_listener(const struct tcphs_end *l, const struct tcphs_context *x)
{
	print(tcphs_json_listener_new(l, x));
}
