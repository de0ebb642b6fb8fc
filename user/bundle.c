// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "gap.h"
#include "host.h"
#include "memory.h"
#include "message.h"
#include "parse.h"
#include "progress.h"
#include "table.h"

enum {
	LINE_MAX_SIZE = 1 << 20,
	BUFFER = 64 << 10,
	WRONG_SHOWN = 8,	/* messages; the rest is only counted */
	AT_ONCE = 256,		/* records of a CPU that are compared with each other */
};

/* No namespace has this number: numbers that are missing were not lost. */
#define SELECTION UINT32_MAX

/* The records of one load of the module, header first: a recording. */
struct load {
	struct tcphs_table_link link;	/* by its names */
	struct tcphs_parsed first;
	uint8_t *bytes;
	size_t used;
	size_t room;
	bool disordered;
	bool lost;
	bool wall_known;
	bool segments_known;
	bool segments_seen;
};

struct reading {
	struct tcphs_source *json;
	const char *name;
	struct tcphs_table table;
	struct load **load;
	size_t loads;
	size_t load_room;
	struct load *last;	/* that a record belonged to */
	struct tcphs_parsed parsed;

	char *line;
	size_t used;
	size_t room;
	bool too_long;		/* and the rest of it is skipped */

	uint64_t lines;
	uint64_t wrong;
	uint64_t strange;
	char strange_name[64];
	uint64_t twice;
	bool hosts_told;
};

/* ---- loads ---------------------------------------------------------------- */

static uint64_t hash(const void *bytes, size_t size, uint64_t before)
{
	const uint8_t *byte = bytes;
	size_t i;

	/* FNV-1a */
	for (i = 0; i < size; i++)
		before = (before ^ byte[i]) * 0x100000001b3ULL;
	return before;
}

static uint64_t name(const struct tcphs_header *h)
{
	uint64_t key = hash(h->hostname, sizeof(h->hostname), 0xcbf29ce484222325ULL);

	key = hash(h->boot, sizeof(h->boot), key);
	return hash(&h->session, sizeof(h->session), key);
}

static bool is_of(const struct load *l, const struct tcphs_header *h)
{
	const struct tcphs_header *own = &l->first.header;

	return own->session == h->session &&
	       !memcmp(own->boot, h->boot, sizeof(h->boot)) &&
	       !memcmp(own->hostname, h->hostname, sizeof(h->hostname));
}

static void put(struct load *l, const void *bytes, size_t size)
{
	if (l->used + size > l->room) {
		l->room = l->room ? l->room * 2 : 32 * TCPHS_RECORD_SIZE;
		l->bytes = realloc(l->bytes, l->room);
		if (!l->bytes)
			tcphs_memory_fail();
	}
	memcpy(l->bytes + l->used, bytes, size);
	l->used += size;
}

static struct load *new_load(struct reading *r, uint64_t key)
{
	struct load *l = tcphs_memory_get(1, sizeof(*l));

	l->first = r->parsed;
	put(l, &l->first.header, sizeof(l->first.header));
	tcphs_table_add(&r->table, &l->link, key);
	r->load = tcphs_memory_grow(r->load, r->loads, &r->load_room, sizeof(*r->load));
	r->load[r->loads++] = l;
	return l;
}

static struct load *find_load(struct reading *r)
{
	const struct tcphs_header *h = &r->parsed.header;
	struct tcphs_table_link *link;
	uint64_t key;

	if (r->last && is_of(r->last, h))
		return r->last;
	key = name(h);
	for (link = tcphs_table_first(&r->table, key); link; link = tcphs_table_next(link))
		if (is_of((struct load *)link, h))
			return (struct load *)link;
	return r->loads < TCPHS_HOST_MAX ? new_load(r, key) : NULL;
}

static int compare(const void *a, const void *b)
{
	const struct tcphs_record *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	/* A gap comes before what it may have been filled with. */
	return (y->kind == TCPHS_LOST) - (x->kind == TCPHS_LOST);
}

static struct tcphs_record *records(const struct load *l, size_t *count)
{
	*count = (l->used - TCPHS_HEADER_SIZE) / TCPHS_RECORD_SIZE;
	return (struct tcphs_record *)(l->bytes + TCPHS_HEADER_SIZE);
}

static void add(struct load *l, const struct tcphs_parsed *p)
{
	struct tcphs_header *h = (struct tcphs_header *)l->bytes;
	struct tcphs_record *record;
	size_t count;

	record = records(l, &count);
	if (count && compare(&record[count - 1], &p->record) >= 0)
		l->disordered = true;
	l->lost |= p->record.kind == TCPHS_LOST;
	l->segments_seen |= p->record.kind == TCPHS_SEGMENT;
	l->segments_known |= p->segments_known;
	h->missing |= p->header.missing;
	if (p->header.segments > h->segments)
		h->segments = p->header.segments;
	/* What one stream came too late for, another one has. */
	if (p->complete_known && p->header.complete < h->complete)
		h->complete = p->header.complete;
	if (p->header.loaded < h->loaded)
		h->loaded = p->header.loaded;
	if (p->wall_known && !l->wall_known)
		h->wall_offset = p->header.wall_offset;
	l->wall_known |= p->wall_known;
	put(l, &p->record, sizeof(p->record));
}

/* ---- order ---------------------------------------------------------------- */

/* Of those that happened with it, and are in front of it, one is the same. */
static bool is_twice(const struct tcphs_record *record, size_t i)
{
	size_t k = i;

	while (k-- && i - k <= AT_ONCE && record[k].ts == record[i].ts &&
	       record[k].cpu == record[i].cpu)
		if (tcphs_gap_same(&record[k], &record[i]))
			return true;
	return false;
}

static size_t drop_twice(struct tcphs_record *record, size_t count)
{
	size_t i, kept = 0;

	for (i = 0; i < count; i++) {
		record[kept] = record[i];
		kept += !is_twice(record, kept);
	}
	return kept;
}

static bool is_within(const struct tcphs_record *r, const struct tcphs_record *gap)
{
	return r->kind != TCPHS_LOST && r->cpu == gap->cpu && r->n >= gap->n &&
	       r->n - gap->n < gap->lost.count;
}

/*
 * `gap` tells of records that are there all the same, since another reader had
 * them: from its beginning, or to its end, as readers come and go. It stands
 * where it begins, or behind what happened meanwhile where it was found there.
 */
static void shorten(const struct tcphs_record *begin, struct tcphs_record *gap,
		    const struct tcphs_record *end)
{
	const struct tcphs_record *first = gap, *last = gap, *r;

	while (first > begin && first[-1].ts >= gap->lost.since)
		first--;
	while (last + 1 < end && last[1].ts <= gap->lost.until)
		last++;
	for (r = last; r > first && gap->lost.count; r--) {
		if (!is_within(r, gap) || r->n != gap->n + gap->lost.count - 1)
			continue;
		gap->lost.count--;
		gap->lost.until = r->ts;
	}
	for (r = first; r <= last && gap->lost.count; r++) {
		if (!is_within(r, gap) || r->n != gap->n)
			continue;
		gap->n++;
		gap->lost.count--;
		gap->lost.since = r->ts;
	}
}

static size_t fill_gaps(struct tcphs_record *record, size_t count)
{
	size_t i, kept = 0;

	for (i = 0; i < count; i++)
		if (record[i].kind == TCPHS_LOST)
			shorten(record, &record[i], record + count);
	for (i = 0; i < count; i++)
		if (record[i].kind != TCPHS_LOST || record[i].lost.count)
			record[kept++] = record[i];
	return kept;
}

static void put_in_order(struct reading *r, struct load *l)
{
	struct tcphs_record *record;
	size_t count, kept;

	if (!l->disordered)
		return;
	record = records(l, &count);
	qsort(record, count, sizeof(*record), compare);
	kept = drop_twice(record, count);
	r->twice += count - kept;
	if (l->lost)
		kept = fill_gaps(record, kept);
	l->used = TCPHS_HEADER_SIZE + kept * TCPHS_RECORD_SIZE;
}

/* ---- lines ---------------------------------------------------------------- */

static void blame(struct reading *r, const char *what)
{
	if (r->wrong++ < WRONG_SHOWN)
		tcphs_message_print("%s: line %" PRIu64 " is left out: %s", r->name,
				    r->lines, what);
}

static void take_line(struct reading *r, const char *line, size_t size)
{
	struct load *l;

	/* A mark of the byte order may stand in front of the text. */
	if (!r->lines++ && size >= 3 && !memcmp(line, "\357\273\277", 3)) {
		line += 3;
		size -= 3;
	}
	while (size && strchr(" \t\r", *line) && *line) {
		line++;
		size--;
	}
	if (!size)
		return;
	switch (tcphs_parse_line(line, size, &r->parsed)) {
	case TCPHS_PARSE_NONE:
		return;
	case TCPHS_PARSE_WRONG:
		blame(r, r->parsed.wrong);
		return;
	case TCPHS_PARSE_RECORD:
		break;
	}
	if (r->parsed.strange && !r->strange++)
		strcpy(r->strange_name, r->parsed.name);
	l = find_load(r);
	if (!l) {
		blame(r, "more hosts than can be told apart: choose some");
		return;
	}
	r->last = l;
	add(l, &r->parsed);
}

/* A line that goes on in the next buffer. */
static void keep(struct reading *r, const char *part, size_t size)
{
	if (r->used + size > LINE_MAX_SIZE) {
		r->too_long = true;
		r->used = 0;
	}
	if (r->too_long)
		return;
	while (r->used + size > r->room) {
		r->room = r->room ? r->room * 2 : 4096;
		r->line = realloc(r->line, r->room);
		if (!r->line)
			tcphs_memory_fail();
	}
	memcpy(r->line + r->used, part, size);
	r->used += size;
}

static void end_line(struct reading *r, const char *part, size_t size)
{
	if (!r->used && !r->too_long) {
		take_line(r, part, size);
		return;
	}
	keep(r, part, size);
	if (r->too_long) {
		r->lines++;
		blame(r, "it is longer than 1 MiB");
	} else {
		take_line(r, r->line, r->used);
	}
	r->used = 0;
	r->too_long = false;
}

/* What is behind the last newline. */
static void end_text(struct reading *r)
{
	uint64_t wrong = r->wrong;

	if (!r->used && !r->too_long)
		return;
	/* It may be whole all the same. */
	end_line(r, "", 0);
	if (r->wrong > wrong)
		tcphs_message_print("%s: truncated: line %" PRIu64 " has no end", r->name,
				    r->lines);
}

static void read_lines(struct reading *r)
{
	char *buffer = tcphs_memory_get(1, BUFFER), *begin, *end, *stop;
	uint64_t done, size;
	size_t n;

	while ((n = tcphs_source_bytes(r->json, buffer, BUFFER))) {
		stop = buffer + n;
		for (begin = buffer; begin < stop; begin = end + 1) {
			end = memchr(begin, '\n', stop - begin);
			if (!end) {
				keep(r, begin, stop - begin);
				break;
			}
			end_line(r, begin, end - begin);
		}
		tcphs_source_position(r->json, &done, &size);
		tcphs_progress_show("reading JSON", size ? (double)done / size : -1);
	}
	end_text(r);
	tcphs_progress_wipe();
	free(buffer);
}

/* ---- the whole ------------------------------------------------------------ */

static void set_header(struct load *l)
{
	struct tcphs_header *h = (struct tcphs_header *)l->bytes;

	memcpy(h->magic, TCPHS_MAGIC, sizeof(h->magic));
	h->byte_order = TCPHS_BYTE_ORDER;
	h->abi_major = TCPHS_ABI_MAJOR;
	h->abi_minor = TCPHS_ABI_MINOR;
	h->header_size = TCPHS_HEADER_SIZE;
	h->record_size = TCPHS_RECORD_SIZE;
	h->netns = SELECTION;
	/* Without one the boot is the scope of names and numbers. */
	if (!h->session)
		h->session = l->link.hash;
	if (!l->segments_known && l->segments_seen)
		h->segments = TCPHS_SEGMENTS_HANDSHAKE;
}

static void say_what_was(const struct reading *r)
{
	bool no_wall = false;
	size_t i;

	if (r->wrong > WRONG_SHOWN)
		tcphs_message_print("%s: %" PRIu64 " lines are left out in all", r->name,
				    r->wrong);
	if (r->strange)
		tcphs_message_print("%s: %" PRIu64 " record%s have members that this tcphs does not know (\"%s\"): not looked at",
				    r->name, r->strange, r->strange == 1 ? "" : "s",
				    r->strange_name);
	if (r->twice)
		tcphs_message_print("%s: %" PRIu64 " record%s came more than once: told once",
				    r->name, r->twice, r->twice == 1 ? "" : "s");
	for (i = 0; i < r->loads; i++)
		no_wall |= !r->load[i]->wall_known;
	if (no_wall)
		tcphs_message_print("%s: records without \"wall\": dates are not known, times are since the boot",
				    r->name);
	if (!r->loads && !r->wrong)
		tcphs_message_print("%s: no record in it", r->name);
}

void tcphs_bundle_read(struct tcphs_bundle *b, struct tcphs_source *json)
{
	struct reading r = { .json = json, .name = tcphs_source_name(json) };
	int status;
	size_t i;

	read_lines(&r);
	for (i = 0; i < r.loads; i++)
		put_in_order(&r, r.load[i]);
	say_what_was(&r);
	memset(b, 0, sizeof(*b));
	b->status = tcphs_source_status(json);
	if (r.wrong || !r.loads)
		b->status = TCPHS_EXIT_FAILED;
	b->source = tcphs_memory_get(r.loads, sizeof(*b->source));
	for (i = 0; i < r.loads; i++) {
		struct load *l = r.load[i];
		struct tcphs_source *source;

		set_header(l);
		source = tcphs_source_open_bytes(l->bytes, l->used, r.name, &status);
		if (source)
			b->source[b->count++] = source;
		else
			b->status = status;
		free(l);
	}
	tcphs_source_close(json);
	tcphs_table_free(&r.table);
	free(r.load);
	free(r.line);
}

struct tcphs_source *tcphs_bundle_only(struct tcphs_source *s, int *status)
{
	const char *name = tcphs_source_name(s);
	struct tcphs_bundle b;
	size_t i;

	if (!tcphs_source_json(s))
		return s;
	tcphs_bundle_read(&b, s);
	*status = b.status;
	if (b.count == 1) {
		s = b.source[0];
		tcphs_source_blame(s, b.status);
	} else {
		if (b.count)
			tcphs_message_print("%s: it has records of %zu hosts or loads of the module, a recording has those of one: choose one",
					    name, b.count);
		for (i = 0; i < b.count; i++)
			tcphs_source_close(b.source[i]);
		*status = TCPHS_EXIT_FAILED;
		s = NULL;
	}
	free(b.source);
	return s;
}
