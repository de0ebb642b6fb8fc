// SPDX-License-Identifier: GPL-2.0
/*
 * Several recordings as one. Which of them are of the same host and the same
 * load of the module is in their headers. They are read twice: once to compare
 * the hosts' clocks, and then merged in the order of time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle.h"
#include "gap.h"
#include "hole.h"
#include "input.h"
#include "memory.h"
#include "message.h"
#include "output.h"
#include "progress.h"

enum { RECENT = 256 };

/* One recording. */
struct stream {
	struct tcphs_source *source;
	size_t host;
	size_t session;
	struct tcphs_record head;	/* the next record, in common time */
	bool ended;
	uint64_t last;		/* surveyed: ts of its last record, by its own clock */
};

/* One load of a module: its recordings share the numbers of records. */
struct session {
	uint64_t id;
	struct tcphs_gaps *gaps;
	size_t host;
	size_t streams;
	uint64_t loaded;	/* as in the headers: of the earliest one ... */
	uint64_t complete;	/* ... and the one that has the most */
	bool limited;		/* numbers are missing that nobody lost */
	struct tcphs_record *recent;	/* then: the last ones that were told */
	size_t next;			/* ... of which this is the oldest */
	struct tcphs_holes *surveyed;	/* several recordings: what all of them miss */
	struct tcphs_record *hole;	/* ... in common time */
	size_t holes;
	size_t told;			/* ... so many of them were given out */
	struct tcphs_record lost;	/* the last one that was given out */
};

struct tcphs_input {
	enum tcphs_source_result (*read)(struct tcphs_input *in, struct tcphs_record *r);
	struct tcphs_source *single;	/* and nothing of what follows */
	struct stream *stream;
	size_t streams;
	struct session *session;
	size_t sessions;
	size_t *of_host;		/* a stream of each host, for its header */
	struct tcphs_record held;
	bool holding;
	uint64_t lost;
	struct tcphs_header header;
	unsigned int pass;		/* 1: clocks, 2: telling */
	unsigned int passes;
	int status;
	struct tcphs_hosts hosts;
};

/* ---- files ---------------------------------------------------------------- */

/* A pipe cannot be read twice: a copy of it, in a file without a name. */
static int spool(int from, const char *name)
{
	FILE *file = tmpfile();
	char buffer[64 << 10];
	ssize_t n;
	int fd = -1;

	while (file && (n = read(from, buffer, sizeof(buffer)))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || fwrite(buffer, 1, n, file) != (size_t)n)
			goto out;
	}
	if (file && !fflush(file))
		fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 3);
	if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		fd = -1;
	}
out:
	if (fd < 0)
		tcphs_message_print("%s: cannot be copied to %s: %s", name, P_tmpdir,
				    strerror(errno));
	if (file)
		fclose(file);
	close(from);
	return fd;
}

static struct tcphs_source *open_file(const char *path, int *status)
{
	const char *name = strcmp(path, "-") ? path : "standard input";
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);

	*status = TCPHS_EXIT_FAILED;
	if (fd < 0) {
		tcphs_message_unopened(name);
		return NULL;
	}
	if (lseek(fd, 0, SEEK_CUR) < 0) {
		fd = spool(fd, name);
		if (fd < 0)
			return NULL;
	}
	return tcphs_source_open_fd(fd, name, status);
}

/* ---- hosts and sessions --------------------------------------------------- */

static size_t find_host(struct tcphs_input *in, const struct tcphs_header *h, size_t stream)
{
	struct tcphs_host *host;
	size_t i;

	for (i = 0; i < in->hosts.count; i++) {
		if (!tcphs_host_same(tcphs_source_header(
			in->stream[in->of_host[i]].source), h))
			continue;
		host = &in->hosts.host[i];
		if (host->session != h->session)
			host->session = 0;
		host->missing |= h->missing;
		return i;
	}
	in->of_host[i] = stream;
	tcphs_host_set(&in->hosts.host[i], h);
	return in->hosts.count++;
}

static size_t find_session(struct tcphs_input *in, const struct tcphs_header *h, size_t host)
{
	struct session *s;
	size_t i;

	for (i = 0; i < in->sessions; i++)
		if (in->session[i].id == h->session)
			break;
	s = &in->session[i];
	if (i == in->sessions) {
		in->sessions++;
		s->id = h->session;
		s->host = host;
		s->loaded = h->loaded;
		s->complete = h->complete;
		s->gaps = tcphs_gap_new();
	}
	s->streams++;
	if (h->loaded < s->loaded)
		s->loaded = h->loaded;
	if (h->complete < s->complete)
		s->complete = h->complete;
	s->limited |= h->netns != 0;
	return i;
}

/* Names that are the same would tell nothing. */
static void tell_apart(struct tcphs_hosts *hosts)
{
	size_t i, k, same;

	for (i = 0; i < hosts->count; i++) {
		char name[sizeof(hosts->host[i].name)];

		strcpy(name, hosts->host[i].name);
		for (same = 1, k = i + 1; k < hosts->count; k++)
			if (!strcmp(hosts->host[k].name, name))
				snprintf(hosts->host[k].name, sizeof(name), "%.48s(%zu)",
					 *name ? name : "?", ++same);
		if (same > 1)
			snprintf(hosts->host[i].name, sizeof(name), "%.48s(1)",
				 *name ? name : "?");
	}
}

/* ---- clocks --------------------------------------------------------------- */

double tcphs_input_share(const struct tcphs_input *in)
{
	uint64_t done = 0, size = 0, one, of;
	size_t i;

	if (in->single) {
		tcphs_source_position(in->single, &done, &size);
		return size ? (double)done / size : -1;
	}
	for (i = 0; i < in->streams; i++) {
		tcphs_source_position(in->stream[i].source, &one, &of);
		done += one;
		size += of;
	}
	if (!size)
		return -1;
	return ((double)done / size + (in->pass - 1)) / in->passes;
}

/* Several recordings of this load are read, and each number of a record is one of them. */
static bool has_holes(const struct session *s)
{
	return s->streams > 1 && !s->limited;
}

static void survey(struct tcphs_input *in, struct stream *s)
{
	struct session *session = &in->session[s->session];
	struct tcphs_host *host = &in->hosts.host[s->host];
	struct tcphs_record r;
	unsigned int i = 0;

	if (has_holes(session) && !session->surveyed)
		session->surveyed = tcphs_hole_new();
	if (session->surveyed)
		tcphs_hole_begin(session->surveyed);
	tcphs_source_quiet(s->source, true);
	while (tcphs_source_read(s->source, &r) == TCPHS_SOURCE_RECORD) {
		if (in->hosts.align)
			tcphs_align_feed(in->hosts.align, s->host, &r);
		if (session->surveyed)
			tcphs_hole_feed(session->surveyed, &r);
		if (r.kind != TCPHS_LOST && (!host->begun || r.ts < host->begun))
			host->begun = r.ts;
		if (r.ts > host->last)
			host->last = r.ts;
		if (r.ts > s->last)
			s->last = r.ts;
		if (!(++i % 4096))
			tcphs_progress_show(in->hosts.align ? "comparing clocks" :
							      "comparing recordings",
					    tcphs_input_share(in));
	}
	tcphs_source_rewind(s->source);
	tcphs_source_quiet(s->source, false);
}

static void align(struct tcphs_input *in)
{
	struct tcphs_hosts *hosts = &in->hosts;
	struct tcphs_align_clock *clock;
	int64_t *wall;
	size_t i;

	clock = tcphs_memory_get(hosts->count, sizeof(*clock));
	wall = tcphs_memory_get(hosts->count, sizeof(*wall));
	for (i = 0; i < hosts->count; i++)
		wall[i] = hosts->host[i].wall_offset;
	tcphs_align_find(hosts->align, wall, clock);
	for (i = 0; i < hosts->count; i++) {
		struct tcphs_host *host = &hosts->host[i];
		int64_t first = (int64_t)host->begun + clock[i].offset;

		host->clock = clock[i];
		if (host->begun && first <= 0 && (uint64_t)-first >= hosts->shift)
			hosts->shift = -first + 1;
	}
	for (i = 0; i < hosts->count; i++) {
		struct tcphs_host *host = &hosts->host[i];

		host->begun = tcphs_host_time(hosts, i, host->begun);
		host->last = tcphs_host_time(hosts, i, host->last);
	}
	in->header.wall_offset -= hosts->shift;
	free(clock);
	free(wall);
}

/* ---- what is overwritten -------------------------------------------------- */

/* From `from` on the recordings of a session have all records: until then. */
static uint64_t covered(const struct tcphs_input *in, size_t session, uint64_t from)
{
	bool more = true;
	size_t i;

	while (more) {
		more = false;
		for (i = 0; i < in->streams; i++) {
			const struct stream *s = &in->stream[i];

			if (s->session != session || s->last < from ||
			    tcphs_source_header(s->source)->complete > from)
				continue;
			from = s->last + 1;
			more = true;
		}
	}
	return from;
}

/* When the next one of them after `from` is complete; 0: none is. */
static uint64_t next_complete(const struct tcphs_input *in, size_t session, uint64_t from)
{
	uint64_t next = 0, complete;
	size_t i;

	for (i = 0; i < in->streams; i++) {
		complete = tcphs_source_header(in->stream[i].source)->complete;
		if (in->stream[i].session == session && complete > from &&
		    (!next || complete < next))
			next = complete;
	}
	return next;
}

/*
 * What was overwritten before a recording was opened another one of the same load may
 * have: up to its last record.
 */
static void tell_doubt(struct tcphs_input *in, size_t session)
{
	const struct session *s = &in->session[session];
	uint64_t complete = tcphs_host_time(&in->hosts, s->host, s->complete);
	uint64_t from = covered(in, session, s->loaded), next;

	while ((next = next_complete(in, session, from))) {
		tcphs_host_doubt(&in->hosts, s->host, from, next);
		from = covered(in, session, next);
	}
	/* One load follows another: from the last one's on nothing was overwritten. */
	if (complete > in->hosts.host[s->host].complete)
		in->hosts.host[s->host].complete = complete;
}

/* ---- merging -------------------------------------------------------------- */

/* Names of sockets mean something within their session only. */
static uint64_t key_of(const struct tcphs_input *in, uint64_t session)
{
	return in->sessions > 1 ? (session | 1) * 0x9e3779b97f4a7c15ULL : 0;
}

/* A record of this host in common time, at a place. */
static void adapt(struct tcphs_input *in, size_t host, struct tcphs_record *r)
{
	if (r->kind == TCPHS_LOST)
		r->netns = 0;
	if (in->hosts.count < 2)
		return;
	r->ts = tcphs_host_time(&in->hosts, host, r->ts);
	r->netns = tcphs_host_place(&in->hosts, host, r->netns);
	if (r->kind == TCPHS_LOST) {
		r->lost.since = tcphs_host_time(&in->hosts, host, r->lost.since);
		r->lost.until = tcphs_host_time(&in->hosts, host, r->lost.until);
	}
}

static void find_holes(struct tcphs_input *in, struct session *s)
{
	size_t i;

	if (!s->surveyed)
		return;
	s->hole = tcphs_hole_find(s->surveyed, &s->holes);
	for (i = 0; i < s->holes; i++)
		adapt(in, s->host, &s->hole[i]);
	tcphs_hole_free(s->surveyed);
	s->surveyed = NULL;
}

/* Have the next record of the stream at its head. */
static void advance(struct tcphs_input *in, struct stream *s)
{
	struct tcphs_record *r = &s->head;

	s->ended = tcphs_source_read(s->source, r) != TCPHS_SOURCE_RECORD;
	if (s->ended)
		return;
	tcphs_host_rename(r, key_of(in, in->session[s->session].id));
	adapt(in, s->host, r);
}

static struct stream *earliest(struct tcphs_input *in)
{
	struct stream *first = NULL;
	size_t i;

	for (i = 0; i < in->streams; i++)
		if (!in->stream[i].ended &&
		    (!first || in->stream[i].head.ts < first->head.ts))
			first = &in->stream[i];
	return first;
}

/* Which session has a hole to tell before anything that is recorded; NULL none. */
static struct session *hole_due(struct tcphs_input *in, const struct stream *first)
{
	struct session *s;
	size_t i;

	for (i = 0; i < in->sessions; i++) {
		s = &in->session[i];
		if (s->told < s->holes &&
		    (!first || tcphs_hole_precedes(&s->hole[s->told], first->head.ts)))
			return s;
	}
	return NULL;
}

/* A stream of one namespace has numbers of its own. */
static bool is_recent(struct session *s, const struct tcphs_record *r)
{
	size_t i;

	if (!s->recent)
		s->recent = tcphs_memory_get(RECENT, sizeof(*s->recent));
	for (i = 0; i < RECENT; i++)
		if (tcphs_gap_same(&s->recent[i], r))
			return true;
	s->recent[s->next] = *r;
	s->next = (s->next + 1) % RECENT;
	return false;
}

/* Another recording of the same session has told it, or a hole does. */
static bool is_told(struct session *s, const struct tcphs_record *r)
{
	if (s->streams < 2)
		return false;
	if (r->kind != TCPHS_LOST)
		return s->limited ? is_recent(s, r) : tcphs_gap_repeats(s->gaps, r);
	if (!s->limited || (s->lost.cpu == r->cpu && s->lost.n == r->n &&
			    s->lost.lost.count == r->lost.count))
		return true;
	s->lost = *r;
	return false;
}

static enum tcphs_source_result merge(struct tcphs_input *in, struct tcphs_record *r)
{
	struct tcphs_record lost;
	struct session *session;
	struct stream *s;

	if (in->holding) {
		*r = in->held;
		in->holding = false;
		return TCPHS_SOURCE_RECORD;
	}
	do {
		s = earliest(in);
		session = hole_due(in, s);
		if (session) {
			*r = session->hole[session->told++];
			break;
		}
		if (!s)
			return TCPHS_SOURCE_END;
		*r = s->head;
		advance(in, s);
		session = &in->session[s->session];
	} while (is_told(session, r));
	if (r->kind == TCPHS_LOST)
		in->lost += r->lost.count;
	if (tcphs_gap_find(session->gaps, r, &lost) && !session->limited) {
		in->held = *r;
		in->holding = true;
		lost.netns = r->netns;
		in->lost += lost.lost.count;
		*r = lost;
	}
	return TCPHS_SOURCE_RECORD;
}

static enum tcphs_source_result read_single(struct tcphs_input *in, struct tcphs_record *r)
{
	enum tcphs_source_result result = tcphs_source_read(in->single, r);

	if (result == TCPHS_SOURCE_RECORD && r->kind == TCPHS_LOST)
		r->netns = 0;
	return result;
}

enum tcphs_source_result tcphs_input_read(struct tcphs_input *in, struct tcphs_record *r)
{
	return in->read(in, r);
}

/* ---- opening, closing ----------------------------------------------------- */

static struct tcphs_input *begin_single(struct tcphs_input *in, struct tcphs_source *source)
{
	in->read = read_single;
	in->single = source;
	in->header = *tcphs_source_header(in->single);
	in->hosts.host = tcphs_memory_get(1, sizeof(*in->hosts.host));
	in->hosts.count = 1;
	tcphs_host_set(&in->hosts.host[0], &in->header);
	in->hosts.host[0].complete = in->header.complete;
	tcphs_host_doubt(&in->hosts, 0, 0, in->header.complete);
	return in;
}

static void add_stream(struct tcphs_input *in, struct tcphs_source *source)
{
	const struct tcphs_header *h = tcphs_source_header(source);
	struct stream *s = &in->stream[in->streams];

	s->source = source;
	tcphs_source_plain(source);
	s->host = find_host(in, h, in->streams);
	s->session = find_session(in, h, s->host);
	if (in->streams++) {
		in->header.missing |= h->missing;
		if (h->loaded < in->header.loaded)
			in->header.loaded = h->loaded;
		if (h->segments > in->header.segments)
			in->header.segments = h->segments;
	} else {
		in->header = *h;
	}
}

static struct tcphs_input *begin_several(struct tcphs_input *in,
					 struct tcphs_source *const *source, size_t count)
{
	size_t i;

	in->read = merge;
	in->passes = in->pass = 1;
	in->stream = tcphs_memory_get(count, sizeof(*in->stream));
	in->session = tcphs_memory_get(count, sizeof(*in->session));
	in->of_host = tcphs_memory_get(count, sizeof(*in->of_host));
	in->hosts.host = tcphs_memory_get(count, sizeof(*in->hosts.host));
	for (i = 0; i < count; i++)
		add_stream(in, source[i]);
	if (in->hosts.count > 1) {
		tell_apart(&in->hosts);
		in->hosts.align = tcphs_align_new(in->hosts.count);
	}
	/* Those of one host that have nothing in common need no survey. */
	if (in->hosts.count > 1 || in->sessions < in->streams) {
		in->passes = 2;
		for (i = 0; i < in->streams; i++)
			survey(in, &in->stream[i]);
		in->pass = 2;
	}
	if (in->hosts.count > 1)
		align(in);
	/* One session tells with each record whose names they are, several do not. */
	for (i = 0; i < in->hosts.count; i++)
		if (in->hosts.host[i].session)
			in->hosts.host[i].key = key_of(in, in->hosts.host[i].session);
	for (i = 0; i < in->sessions; i++) {
		tell_doubt(in, i);
		find_holes(in, &in->session[i]);
	}
	/* Of several hosts each has its own, by its own clock. */
	in->header.complete = in->hosts.count > 1 ? 0 : in->hosts.host[0].complete;
	for (i = 0; i < in->streams; i++)
		advance(in, &in->stream[i]);
	return in;
}

/* Sources of all files: JSON may have the records of many hosts. */
struct opened {
	struct tcphs_source **source;
	size_t count;
	size_t room;
};

static void add_source(struct opened *o, struct tcphs_source *source)
{
	o->source = tcphs_memory_grow(o->source, o->count, &o->room, sizeof(*o->source));
	o->source[o->count++] = source;
}

static void add_file(struct opened *o, struct tcphs_source *source, int *status)
{
	struct tcphs_bundle bundle;
	size_t i;

	if (!tcphs_source_json(source)) {
		add_source(o, source);
		return;
	}
	tcphs_bundle_read(&bundle, source);
	for (i = 0; i < bundle.count; i++)
		add_source(o, bundle.source[i]);
	free(bundle.source);
	if (bundle.status)
		*status = bundle.status;
}

struct tcphs_input *tcphs_input_open(const struct tcphs_settings *s, bool follow,
				     int *status)
{
	struct tcphs_input *in = tcphs_memory_get(1, sizeof(*in));
	struct tcphs_source *source;
	struct opened o = { 0 };
	size_t i;

	*status = TCPHS_EXIT_DONE;
	for (i = 0; i < s->nfiles || !i; i++) {
		/* One of a kind may be a pipe that goes on. */
		source = s->nfiles < 2 ?
			tcphs_source_open(s->nfiles ? s->files[0] : NULL, follow, status) :
			open_file(s->files[i], status);
		if (source && follow && tcphs_source_json(source)) {
			tcphs_message_print("%s: JSON is read to its end first: it does not go with -f",
					    tcphs_source_name(source));
			tcphs_source_close(source);
			source = NULL;
			*status = TCPHS_EXIT_USAGE;
		}
		if (source)
			add_file(&o, source, status);
		if (*status)
			in->status = *status;
	}
	if (!o.count) {
		*status = in->status;
		tcphs_input_close(in);
		in = NULL;
	} else if (s->nfiles < 2 && o.count == 1) {
		begin_single(in, o.source[0]);
	} else {
		begin_several(in, o.source, o.count);
	}
	free(o.source);
	return in;
}

void tcphs_input_close(struct tcphs_input *in)
{
	size_t i;

	if (!in)
		return;
	tcphs_source_close(in->single);
	for (i = 0; i < in->streams; i++)
		tcphs_source_close(in->stream[i].source);
	for (i = 0; i < in->sessions; i++) {
		tcphs_gap_free(in->session[i].gaps);
		free(in->session[i].hole);
		free(in->session[i].recent);
	}
	tcphs_host_free(&in->hosts);
	free(in->stream);
	free(in->session);
	free(in->of_host);
	free(in);
}

int tcphs_input_finish(struct tcphs_input *in, int status, bool strict)
{
	uint64_t lost = tcphs_input_lost(in);

	if (!status)
		status = tcphs_input_status(in);
	tcphs_input_close(in);
	if (tcphs_output_finish())
		return TCPHS_EXIT_FAILED;
	return !status && strict && lost ? TCPHS_EXIT_LOST : status;
}

/* ---- what is asked of it -------------------------------------------------- */

const struct tcphs_header *tcphs_input_header(const struct tcphs_input *in)
{
	return &in->header;
}

const struct tcphs_hosts *tcphs_input_hosts(const struct tcphs_input *in)
{
	return &in->hosts;
}

void tcphs_input_wake(struct tcphs_input *in, int fd)
{
	if (in->single)
		tcphs_source_wake(in->single, fd);
}

uint64_t tcphs_input_lost(const struct tcphs_input *in)
{
	return in->single ? tcphs_source_lost(in->single) : in->lost;
}

uint64_t tcphs_input_overwritten(const struct tcphs_input *in)
{
	return in->single ? tcphs_source_overwritten(in->single) : 0;
}

int tcphs_input_status(const struct tcphs_input *in)
{
	int status = in->status;
	size_t i;

	if (in->single && !status)
		status = tcphs_source_status(in->single);
	for (i = 0; i < in->streams && !status; i++)
		status = tcphs_source_status(in->stream[i].source);
	return status;
}

size_t tcphs_input_left(const struct tcphs_input *in)
{
	return in->single ? tcphs_source_left(in->single) : 0;
}
