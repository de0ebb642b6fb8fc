// SPDX-License-Identifier: GPL-2.0
/*
 * What the module counts since it was loaded only grows: those are counters. What
 * is worked out from the records is about the ring as it is now, which forgets its
 * oldest ones: gauges, and a histogram whose HELP says so.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "connection.h"
#include "host.h"
#include "input.h"
#include "memory.h"
#include "message.h"
#include "outlet.h"
#include "output.h"
#include "prometheus.h"
#include "story.h"
#include "summary.h"
#include "verdict.h"

#define STATS "/proc/tcphs/stats"

/* 10, 20, 50 us and so on to 100 s. */
enum { BOUNDS = 22 };

/* Sockets with the same address in the same namespace are one listener here. */
struct listener {
	char *labels;
	struct tcphs_listener_counts counts;
	uint64_t sockets;
};

struct metrics {
	FILE *to;
	struct tcphs_outlet *out;	/* NULL: standard output */
	struct tcphs_summary summary;
	uint64_t bound[BOUNDS];		/* ns */
	uint64_t within[BOUNDS];
	struct listener *listener;
	size_t listeners;
	size_t room;
	bool reads;			/* the source is there */
	bool counted;			/* segments were recorded */
	bool window;
	uint64_t begun;			/* of the window, ns */
	uint64_t ended;
	int64_t wall_offset;		/* of both: makes them ns since 1970 */
	const struct tcphs_input *in;
};

static void begin(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP tcphs_%s %s\n# TYPE tcphs_%s %s\n", name, help, name, type);
}

/* The value of a label. */
static void put_text(FILE *to, const char *text)
{
	for (; *text && *text != '\n'; text++) {
		if (*text == '\\' || *text == '"')
			putc('\\', to);
		putc(*text, to);
	}
}

/* ---- the module's counters ------------------------------------------------ */

struct line {
	char *name;
	char *value;
};

struct lines {
	struct line *line;
	size_t count;
	size_t room;
};

static const char *find(const struct lines *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->count; i++)
		if (!strcmp(all->line[i].name, name))
			return all->line[i].value;
	return NULL;
}

static int read_lines(struct lines *all)
{
	FILE *file = fopen(STATS, "re");
	char *text = NULL, *space;
	size_t room = 0;
	int status = 0;

	if (!file)
		return tcphs_stats_refuse(errno);
	while (getline(&text, &room, file) > 0) {
		text[strcspn(text, "\n")] = '\0';
		space = strchr(text, ' ');
		if (!space)
			continue;
		*space = '\0';
		all->line = tcphs_memory_grow(all->line, all->count, &all->room,
					      sizeof(*all->line));
		all->line[all->count].name = tcphs_memory_text(text);
		all->line[all->count++].value = tcphs_memory_text(space + 1);
	}
	if (ferror(file)) {
		tcphs_message_print(STATS ": %s", strerror(errno));
		status = TCPHS_EXIT_FAILED;
	}
	fclose(file);
	free(text);
	return status;
}

static void free_lines(struct lines *all)
{
	while (all->count) {
		all->count--;
		free(all->line[all->count].name);
		free(all->line[all->count].value);
	}
	free(all->line);
}

/* "cpu3_written" has the counter "_written" of CPU 3. */
static void put_cpus(FILE *to, const struct lines *all, const char *counter,
		     const char *name, const char *help)
{
	unsigned int cpu;
	bool begun = false;
	int used;
	size_t i;

	for (i = 0; i < all->count; i++) {
		if (sscanf(all->line[i].name, "cpu%u%n", &cpu, &used) != 1 ||
		    strcmp(all->line[i].name + used, counter))
			continue;
		if (!begun)
			begin(to, name, "counter", help);
		begun = true;
		fprintf(to, "tcphs_%s{cpu=\"%u\"} %s\n", name, cpu, all->line[i].value);
	}
}

static void put_kinds(FILE *to, const struct lines *all)
{
	static const char *const kinds[][2] = {
		{ "transitions", "transition" },
		{ "segments", "segment" },
		{ "resets", "reset" },
		{ "destroys", "destroy" },
		{ "accepts", "accept" },
	};
	bool begun = false;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!find(all, kinds[i][0]))
			continue;
		if (!begun)
			begin(to, "records_total", "counter",
			      "Records written since the module was loaded, by kind.");
		begun = true;
		fprintf(to, "tcphs_records_total{kind=\"%s\"} %s\n", kinds[i][1],
			find(all, kinds[i][0]));
	}
}

static void put_label(FILE *to, const struct lines *all, const char *name,
		      const char *label, const char *before)
{
	const char *value = find(all, name);

	fprintf(to, "%s%s=\"", before, label);
	put_text(to, value ? value : "");
	putc('"', to);
}

static void put_missing(FILE *to, const struct lines *all)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < all->count; i++) {
		if (strcmp(all->line[i].name, "not_observed"))
			continue;
		if (!begun)
			begin(to, "not_observed", "gauge",
			      "1: what this kernel does not let the module see.");
		begun = true;
		fputs("tcphs_not_observed{what=\"", to);
		put_text(to, all->line[i].value);
		fputs("\"} 1\n", to);
	}
}

static int put_counters(FILE *to)
{
	struct lines all = { 0 };
	int status = read_lines(&all);
	const char *value;

	if (!status) {
		begin(to, "module_info", "gauge", "The module that records.");
		fputs("tcphs_module_info{", to);
		put_label(to, &all, "version", "version", "");
		put_label(to, &all, "abi", "abi", ",");
		put_label(to, &all, "segments_mode", "segments", ",");
		fputs("} 1\n", to);
		put_cpus(to, &all, "_written", "records_written_total",
			 "Records written since the module was loaded.");
		put_cpus(to, &all, "_overwritten", "records_overwritten_total",
			 "Records that newer ones have replaced in the ring.");
		put_cpus(to, &all, "_filtered", "records_filtered_total",
			 "Records that the filter in the kernel left out.");
		put_kinds(to, &all);
		value = find(&all, "records_per_cpu");
		if (value) {
			begin(to, "ring_records", "gauge",
			      "How many records the ring of each CPU keeps.");
			fprintf(to, "tcphs_ring_records %s\n", value);
		}
		value = find(&all, "filter");
		if (value) {
			begin(to, "filter_active", "gauge",
			      "1: a filter in the kernel is set.");
			fprintf(to, "tcphs_filter_active %d\n", strcmp(value, "off") != 0);
		}
		put_missing(to, &all);
	}
	free_lines(&all);
	return status;
}

/* ---- the ring as it is now ------------------------------------------------ */

static void header(void *arg, const struct tcphs_input *in)
{
	const struct tcphs_header *h = tcphs_input_header(in);
	struct metrics *m = arg;
	uint64_t from = h->complete > h->loaded ? h->complete : h->loaded;

	m->in = in;
	m->reads = true;
	m->counted = h->segments != TCPHS_SEGMENTS_NONE;
	m->window = from && h->opened > from;
	m->begun = from;
	m->ended = h->opened;
	m->wall_offset = h->wall_offset;
}

/*
 * All of it was before the window: of that time the ring has only what CPUs with less to
 * record have left. One that is still open is in the window.
 */
static bool over_before(const struct tcphs_connection *c, uint64_t begun)
{
	unsigned int side;
	size_t i;

	if (c->close == TCPHS_CLOSE_OPEN)
		return false;
	for (side = 0; side < 2; side++)
		if (c->open == TCPHS_OPEN_HALF_OPEN && c->side[side].socket &&
		    !c->side[side].closed && !c->doubtful)
			return false;
	for (i = 0; i < c->nsteps; i++)
		if (c->steps[i].kind != TCPHS_STEP_GAP &&
		    (c->steps[i].ts >= begun || c->steps[i].received >= begun))
			return false;
	for (side = 0; side < 2; side++)
		for (i = 0; i < c->side[side].nstates; i++)
			if (c->side[side].states[i].ts >= begun)
				return false;
	return true;
}

static void connection(void *arg, const struct tcphs_connection *c)
{
	struct metrics *m = arg;
	size_t i;

	if (m->window && c->start < m->begun && over_before(c, m->begun))
		return;
	tcphs_summary_add(&m->summary, c);
	if (!c->opened)
		return;
	for (i = 0; i < BOUNDS; i++)
		m->within[i] += c->opened <= m->bound[i];
}

/* To be freed. Of several hosts' records each has its name; else the scraper says it. */
static char *listener_labels(const struct tcphs_end *e, const struct tcphs_hosts *hosts)
{
	const struct tcphs_host *host = tcphs_host_of(hosts, e->netns);
	char address[TCPHS_ADDRESS_SIZE], *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		tcphs_memory_fail();
	if (tcphs_host_several(hosts) && host) {
		fputs("host=\"", to);
		put_text(to, host->name);
		fputs("\",", to);
	}
	fprintf(to, "address=\"%s\",port=\"%u\",netns=\"%" PRIu32 "\"",
		tcphs_address_text(e->tuple.local, e->tuple.inet6, address),
		e->tuple.lport, tcphs_host_netns(hosts, e->netns));
	if (fclose(to))
		tcphs_memory_fail();
	return text;
}

static void listener(void *arg, const struct tcphs_end *e, const struct tcphs_context *x)
{
	struct metrics *m = arg;
	struct listener *l = NULL;
	char *labels;
	size_t i;

	if (!e->tuple.lport)
		return;
	labels = listener_labels(e, x->hosts);
	for (i = 0; i < m->listeners && !l; i++)
		if (!strcmp(m->listener[i].labels, labels))
			l = &m->listener[i];
	if (l) {
		free(labels);
	} else {
		m->listener = tcphs_memory_grow(m->listener, m->listeners, &m->room,
						sizeof(*l));
		l = &m->listener[m->listeners++];
		memset(l, 0, sizeof(*l));
		l->labels = labels;
	}
	l->sockets += !e->closed;
	l->counts.syns += e->counts.syns;
	l->counts.synacks += e->counts.synacks;
	l->counts.cookies_sent += e->counts.cookies_sent;
	l->counts.cookies_accepted += e->counts.cookies_accepted;
	l->counts.cookies_failed += e->counts.cookies_failed;
	l->counts.unanswered += e->counts.unanswered;
	l->counts.overflowed += e->counts.overflowed;
}

static uint64_t count_of(const struct listener *l, unsigned int which)
{
	switch (which) {
	case 0:
		return l->counts.syns;
	case 1:
		return l->counts.synacks;
	case 2:
		return l->counts.cookies_sent;
	case 3:
		return l->counts.cookies_accepted;
	case 4:
		return l->counts.cookies_failed;
	case 5:
		return l->counts.unanswered;
	case 6:
		return l->counts.overflowed;
	}
	return l->sockets;
}

static void put_listeners(const struct metrics *m)
{
	static const char *const names[][2] = {
		{ "window_listener_syns", "SYNs that came to a listener, as far as the ring has them." },
		{ "window_listener_synacks", "SYN,ACKs that it sent, copies too, as far as the ring has them." },
		{ "window_listener_cookies_sent", "SYN cookies that it sent, as far as the ring has them." },
		{ "window_listener_cookies_accepted",
		  "Connections that a SYN cookie opened, as far as the ring has them." },
		{ "window_listener_cookies_failed",
		  "ACKs that brought back no cookie of it, in the window." },
		{ "window_listener_unanswered", "SYNs that it did not answer, in the window." },
		{ "window_listener_overflowed",
		  "Refused because its accept queue was full, as far as the ring has them." },
		{ "window_listener_sockets", "Sockets that listen there, as far as the window tells." },
	};
	unsigned int which;
	size_t i;

	for (which = 0; which < sizeof(names) / sizeof(names[0]) && m->listeners; which++) {
		/* Without segments nobody counted them. */
		if (!m->counted && which < 7)
			continue;
		begin(m->to, names[which][0], "gauge", names[which][1]);
		for (i = 0; i < m->listeners; i++)
			fprintf(m->to, "tcphs_%s{%s} %" PRIu64 "\n", names[which][0],
				m->listener[i].labels, count_of(&m->listener[i], which));
	}
}

static void put_verdicts(const struct metrics *m)
{
	unsigned int i;

	begin(m->to, "window_opens", "gauge",
	      "Connections of the window, by how they opened, which may have been before it.");
	for (i = 0; i <= TCPHS_OPEN_UNSEEN; i++)
		if (tcphs_verdict_open(i))
			fprintf(m->to, "tcphs_window_opens{open=\"%s\"} %" PRIu64 "\n",
				tcphs_verdict_open(i), m->summary.opens[i]);
	begin(m->to, "window_closes", "gauge", "Connections of the window, by how they closed.");
	for (i = 0; i <= TCPHS_CLOSE_UNSEEN; i++)
		if (tcphs_verdict_close(i))
			fprintf(m->to, "tcphs_window_closes{close=\"%s\"} %" PRIu64 "\n",
				tcphs_verdict_close(i), m->summary.closes[i]);
}

static void finish(void *arg, uint64_t lost, uint64_t last)
{
	struct metrics *m = arg;
	size_t i;

	/* `record` may have gone on for long. */
	if (last > m->ended)
		m->ended = last;
	if (m->window) {
		begin(m->to, "window_start_timestamp_seconds", "gauge",
		      "The window: the time from which on the ring had every record, when it was read.");
		fprintf(m->to, "tcphs_window_start_timestamp_seconds %.6f\n",
			((double)m->begun + m->wall_offset) / 1e9);
		begin(m->to, "window_end_timestamp_seconds", "gauge",
		      "The window: when the ring was read; of a recording, its last record.");
		fprintf(m->to, "tcphs_window_end_timestamp_seconds %.6f\n",
			((double)m->ended + m->wall_offset) / 1e9);
	}
	begin(m->to, "window_records_lost", "gauge",
	      "Records of the window that were overwritten while it was read.");
	fprintf(m->to, "tcphs_window_records_lost %" PRIu64 "\n",
		lost - (m->in ? tcphs_input_overwritten(m->in) : 0));
	begin(m->to, "handshake_seconds", "histogram",
	      "SYN to ESTABLISHED, as the client saw it if it is here, of the connections in the window: those that were not over before it. A snapshot, not counted since a start: what is overwritten leaves it. Use it as it is, without rate() or increase().");
	for (i = 0; i < BOUNDS; i++)
		fprintf(m->to, "tcphs_handshake_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
			m->bound[i] / 1e9, m->within[i]);
	fprintf(m->to, "tcphs_handshake_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
		"tcphs_handshake_seconds_sum %.9f\n"
		"tcphs_handshake_seconds_count %" PRIu64 "\n", m->summary.handshakes,
		m->summary.total / 1e9, m->summary.handshakes);
	put_verdicts(m);
	put_listeners(m);
	if (m->out)
		tcphs_outlet_check(m->out);
}

/* ---- the command ---------------------------------------------------------- */

/* `out` NULL: standard output. `*told`: all that could be read. */
static int put_all(struct tcphs_outlet *out, const struct tcphs_settings *s, bool *told)
{
	static const unsigned int step[] = { 1, 2, 5 };
	struct metrics *m = tcphs_memory_get(1, sizeof(*m));
	const struct tcphs_story story = {
		.header = header,
		.connection = connection,
		.listener = listener,
		.finish = finish,
		.arg = m,
	};
	uint64_t decade = 10000;
	int status = 0;
	size_t i;

	m->to = out ? out->to : stdout;
	m->out = out;
	for (i = 0; i < BOUNDS; i++) {
		m->bound[i] = decade * step[i % 3];
		if (i % 3 == 2)
			decade *= 10;
	}
	/* A recording has none of these. */
	if (!s->nfiles)
		status = put_counters(m->to);
	if (out)
		tcphs_outlet_check(out);
	if (!status)
		status = tcphs_story_tell(s, &story);
	*told = m->reads;
	for (i = 0; i < m->listeners; i++)
		free(m->listener[i].labels);
	free(m->listener);
	free(m);
	return status;
}

int tcphs_prometheus_run(const struct tcphs_settings *s)
{
	struct tcphs_outlet out;
	int status;
	bool told;

	if (!s->output || !strcmp(s->output, "-"))
		return put_all(NULL, s, &told);
	/* node_exporter is nobody in particular. */
	status = tcphs_outlet_open(&out, s, 0644);
	if (status)
		return status;
	status = put_all(&out, s, &told);
	if (!tcphs_outlet_close(&out, told))
		status = TCPHS_EXIT_FAILED;
	return status;
}
