// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endian.h"
#include "gap.h"
#include "memory.h"
#include "message.h"
#include "names.h"
#include "parse.h"
#include "source.h"
#include "stock.h"
#include "stop.h"

#define EVENTS "/proc/tcphs/events"

enum {
	HEADER_MAX = 64 << 10,
	RECORD_MAX = 4 << 10,
	IDLE_MS = 100,
	DAMAGE_SHOWN = 8,	/* messages; the rest is only counted */
};

/* 2^62 ns are 146 years; as a count of records still more. */
#define MAX_NUMBER (1ULL << 62)

struct tcphs_source {
	const char *name;
	int fd;
	int wake;		/* poll() ignores -1 */
	bool live;		/* /proc/tcphs/events */
	bool follow;
	bool swapped;		/* the other byte order */
	bool json;
	bool ended;
	bool looked_again;	/* since the end was asked for */
	int status;

	struct tcphs_header header;
	uint8_t *raw_header;
	size_t header_size;
	size_t record_size;

	struct tcphs_batch *now;	/* what is being delivered */
	uint8_t *buffer;	/* its bytes */
	struct tcphs_stock *stock;	/* of who follows the module, or NULL */
	size_t begin;		/* of what is not delivered yet */
	size_t end;
	const uint8_t *raw;	/* of the record delivered last */

	uint64_t number;	/* of the record at `begin`, from 1 */
	uint64_t damaged;
	uint64_t lost;
	uint64_t overwritten;	/* of these, before the stream was opened */

	struct tcphs_gaps *gaps;
	struct tcphs_record held;	/* comes after a gap made here */
	bool holding;
	bool quiet;
	bool plain;		/* gaps are not for this source to tell */
	uint64_t size;		/* of a recording; 0 unknown */
	uint64_t taken;		/* bytes read so far */
	uint8_t *memory;	/* the recording, in place of a file */
	size_t begun;		/* JSON: bytes at raw_header, not delivered yet */
};

/* ---- bytes ---------------------------------------------------------------- */

static void say_open_error(const char *name, bool live)
{
	if (live && errno == ENOENT)
		tcphs_message_print(EVENTS
			": the module is not loaded: sudo insmod tcphs.ko (or sudo modprobe tcphs)");
	else if (live && (errno == EACCES || errno == EPERM))
		tcphs_message_print(EVENTS
			": permission denied (sequence numbers are secret): use sudo, or load the module with gid= for a group");
	else
		tcphs_message_unopened(name);
}

/*
 * Who follows has less than was asked for, unless the end was asked for as well; and
 * so has who had not read all (`whole`) when the file was closed.
 */
static void note_unloading(struct tcphs_source *s, bool whole)
{
	tcphs_message_print(EVENTS ": the module was unloaded");
	if (!whole || (s->follow && !tcphs_stop_asked()))
		s->status = TCPHS_EXIT_FAILED;
}

/*
 * Returns bytes read, 0 at the end, -EAGAIN when nothing is there yet. With a stock they
 * are in s->now, whatever `to` is.
 */
static ssize_t read_some(struct tcphs_source *s, void *to, size_t size)
{
	ssize_t n;

	if (s->memory) {
		n = s->size - s->taken < size ? s->size - s->taken : size;
		memcpy(to, s->memory + s->taken, n);
		s->taken += n;
		return n;
	}
	for (;;) {
		n = s->stock ? tcphs_stock_read(s->stock, &s->now) : read(s->fd, to, size);
		if (n > 0) {
			s->taken += n;
			return n;
		}
		/* A recording that is still being written goes on. */
		if (!n && s->follow && !s->live)
			return -EAGAIN;
		/* rmmod ends the stream, or closes it under its readers. */
		if (!n || (s->live && (errno == EIO || errno == ENODEV))) {
			if (s->live)
				note_unloading(s, !n);
			return 0;
		}
		if (errno == EINTR && !tcphs_stop_asked())
			continue;
		if (errno == EAGAIN || errno == EINTR)
			return -EAGAIN;
		break;
	}
	tcphs_message_print("%s: %s", s->name, strerror(errno));
	s->status = TCPHS_EXIT_FAILED;
	return 0;
}

/* Something has come; false: nothing did for a while. */
static bool wait_more(const struct tcphs_source *s)
{
	struct pollfd wanted[] = {
		{ .fd = s->fd, .events = POLLIN },
		{ .fd = s->wake, .events = POLLIN },
	};

	if (s->live) {
		bool some = poll(wanted, 2, IDLE_MS) > 0 && wanted[0].revents;

		/* Who is told that nothing came may be kept by its output, too. */
		if (s->stock)
			tcphs_stock_go_on(s->stock);
		return some;
	}
	/* poll() says that a file can always be read. */
	usleep(IDLE_MS * 1000);
	return false;
}

/* Read exactly `size` bytes, or fewer at the end. */
static size_t read_whole(struct tcphs_source *s, uint8_t *to, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read_some(s, to + have, size - have);

		if (n == -EAGAIN) {
			if (tcphs_stop_asked())
				break;
			wait_more(s);
			continue;
		}
		if (!n)
			break;
		have += n;
	}
	return have;
}

/* ---- header --------------------------------------------------------------- */

static int check_header(struct tcphs_source *s)
{
	struct tcphs_header *h = &s->header;

	if (memcmp(h->magic, TCPHS_MAGIC, sizeof(h->magic))) {
		tcphs_message_print("%s: not a tcphs recording: make one with `tcphs record -o FILE`",
				    s->name);
		return TCPHS_EXIT_FAILED;
	}
	if (h->byte_order == __builtin_bswap32(TCPHS_BYTE_ORDER)) {
		s->swapped = true;
		tcphs_endian_header(h);
	}
	if (h->byte_order != TCPHS_BYTE_ORDER) {
		tcphs_message_print("%s: header damaged: byte order mark %#x",
				    s->name, h->byte_order);
		return TCPHS_EXIT_FAILED;
	}
	if (h->abi_major > TCPHS_ABI_MAJOR) {
		tcphs_message_print("%s: format %u.%u is newer than this tcphs reads (%u.%u): use the tcphs of that module",
				    s->name, h->abi_major, h->abi_minor,
				    TCPHS_ABI_MAJOR, TCPHS_ABI_MINOR);
		return TCPHS_EXIT_FAILED;
	}
	if (h->abi_major < 1 || h->header_size < TCPHS_HEADER_SIZE ||
	    h->header_size > HEADER_MAX || h->record_size < TCPHS_RECORD_SIZE ||
	    h->record_size > RECORD_MAX || h->record_size % 8) {
		tcphs_message_print("%s: header damaged: format %u.%u, header of %u bytes, records of %u bytes",
				    s->name, h->abi_major, h->abi_minor,
				    h->header_size, h->record_size);
		return TCPHS_EXIT_FAILED;
	}
	/* Added to a time it must stay one. */
	if (h->wall_offset >= (int64_t)MAX_NUMBER || h->wall_offset < -(int64_t)MAX_NUMBER) {
		tcphs_message_print("%s: header damaged: it was recorded in no year that there is",
				    s->name);
		return TCPHS_EXIT_FAILED;
	}
	if (h->segments > TCPHS_SEGMENTS_ALL) {
		tcphs_message_print("%s: header damaged: segments %u", s->name, h->segments);
		return TCPHS_EXIT_FAILED;
	}
	h->hostname[sizeof(h->hostname) - 1] = '\0';
	h->release[sizeof(h->release) - 1] = '\0';
	return TCPHS_EXIT_DONE;
}

static int read_header(struct tcphs_source *s)
{
	size_t have;
	int status;

	s->raw_header = tcphs_memory_get(1, HEADER_MAX);
	/* The module gives its header in one piece; a short JSON ends before that. */
	have = read_whole(s, s->raw_header, s->live ? TCPHS_HEADER_SIZE :
						      sizeof(s->header.magic));
	if (s->status)
		return s->status;
	if (!s->live && tcphs_parse_begins(s->raw_header, have)) {
		s->json = true;
		s->begun = have;
		return TCPHS_EXIT_DONE;
	}
	if (have == sizeof(s->header.magic))
		have += read_whole(s, s->raw_header + have, TCPHS_HEADER_SIZE - have);
	if (s->status)
		return s->status;
	memcpy(&s->header, s->raw_header, sizeof(s->header));
	if (have < TCPHS_HEADER_SIZE &&
	    (!have || (have >= sizeof(s->header.magic) &&
		       !memcmp(s->header.magic, TCPHS_MAGIC, sizeof(s->header.magic))))) {
		tcphs_message_print("%s: %s", s->name,
				    have ? "truncated in its header" : "empty");
		return TCPHS_EXIT_FAILED;
	}
	status = check_header(s);
	if (status)
		return status;
	s->header_size = s->header.header_size;
	s->record_size = s->header.record_size;
	have += read_whole(s, s->raw_header + have, s->header_size - have);
	if (have < s->header_size) {
		tcphs_message_print("%s: truncated in its header", s->name);
		return TCPHS_EXIT_FAILED;
	}
	return TCPHS_EXIT_DONE;
}

/* The boot that this is, for the header of what is read from the module. */
static void add_boot(struct tcphs_source *s)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	FILE *file = fopen(path, "re");
	char text[64] = "";
	const char *c;
	size_t i = 0;
	int used;

	if (!file)
		return;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	for (c = text; *c && i < sizeof(s->header.boot); c += used) {
		unsigned int byte;

		used = 1;
		if (*c == '-')
			continue;
		if (sscanf(c, "%2x%n", &byte, &used) != 1)
			break;
		s->header.boot[i++] = byte;
	}
	memcpy(s->raw_header + offsetof(struct tcphs_header, boot), s->header.boot,
	       sizeof(s->header.boot));
}

/* The source is open on s->fd: read the header. NULL after a message. */
static struct tcphs_source *begin(struct tcphs_source *s, int *status)
{
	struct stat st;

	*status = read_header(s);
	if (*status) {
		tcphs_source_close(s);
		return NULL;
	}
	if (s->live)
		add_boot(s);
	else if (!s->memory && !fstat(s->fd, &st) && S_ISREG(st.st_mode))
		s->size = st.st_size;
	s->now = tcphs_memory_room(1, sizeof(*s->now));
	s->buffer = s->now->bytes;
	if (s->live && s->follow) {
		s->stock = tcphs_stock_new(s->fd, s->record_size, tcphs_stock_most());
		if (!s->stock) {
			*status = TCPHS_EXIT_FAILED;
			tcphs_source_close(s);
			return NULL;
		}
	}
	s->gaps = tcphs_gap_new();
	s->number = 1;
	return s;
}

struct tcphs_source *tcphs_source_open_fd(int fd, const char *name, int *status)
{
	struct tcphs_source *s = tcphs_memory_get(1, sizeof(*s));

	s->name = name;
	s->wake = -1;
	s->fd = fd;
	return begin(s, status);
}

struct tcphs_source *tcphs_source_open_bytes(uint8_t *bytes, size_t size, const char *name,
					     int *status)
{
	struct tcphs_source *s = tcphs_memory_get(1, sizeof(*s));

	s->name = name;
	s->wake = -1;
	s->fd = -1;
	s->memory = bytes;
	s->size = size;
	return begin(s, status);
}

struct tcphs_source *tcphs_source_open(const char *path, bool follow, int *status)
{
	struct tcphs_source *s = tcphs_memory_get(1, sizeof(*s));

	s->live = !path;
	s->name = path ? path : EVENTS;
	s->follow = follow;
	s->wake = -1;
	if (path && !strcmp(path, "-")) {
		s->name = "standard input";
		s->fd = dup(STDIN_FILENO);
	} else {
		s->fd = open(s->name, O_RDONLY | O_CLOEXEC | (path ? 0 : O_NONBLOCK));
	}
	if (s->fd < 0) {
		*status = s->live && (errno == ENOENT || errno == EACCES ||
				      errno == EPERM) ?
			TCPHS_EXIT_ACCESS : TCPHS_EXIT_FAILED;
		say_open_error(s->name, s->live);
		free(s);
		return NULL;
	}
	return begin(s, status);
}

void tcphs_source_quiet(struct tcphs_source *s, bool quiet)
{
	s->quiet = quiet;
}

void tcphs_source_plain(struct tcphs_source *s)
{
	s->plain = true;
}

void tcphs_source_rewind(struct tcphs_source *s)
{
	if (!s->memory && lseek(s->fd, s->header_size, SEEK_SET) < 0) {
		tcphs_message_print("%s: %s", s->name, strerror(errno));
		s->ended = true;
		s->status = TCPHS_EXIT_FAILED;
		return;
	}
	s->begin = s->end = 0;
	s->number = 1;
	s->damaged = 0;
	s->taken = s->header_size;
	s->ended = false;
	s->status = TCPHS_EXIT_DONE;
}

void tcphs_source_position(const struct tcphs_source *s, uint64_t *done, uint64_t *size)
{
	*done = s->taken - (s->end - s->begin);
	*size = s->size;
}

void tcphs_source_close(struct tcphs_source *s)
{
	if (!s)
		return;
	if (s->damaged > DAMAGE_SHOWN && !s->quiet)
		tcphs_message_print("%s: %" PRIu64 " damaged records in all",
				    s->name, s->damaged);
	tcphs_stock_free(s->stock);
	if (s->fd >= 0)
		close(s->fd);
	free(s->memory);
	free(s->raw_header);
	free(s->now);
	tcphs_gap_free(s->gaps);
	free(s);
}

bool tcphs_source_json(const struct tcphs_source *s)
{
	return s->json;
}

const char *tcphs_source_name(const struct tcphs_source *s)
{
	return s->name;
}

size_t tcphs_source_bytes(struct tcphs_source *s, void *to, size_t size)
{
	size_t begun = s->begun < size ? s->begun : size;
	ssize_t n;

	if (begun) {
		memcpy(to, s->raw_header, begun);
		s->begun -= begun;
		memmove(s->raw_header, s->raw_header + begun, s->begun);
		return begun;
	}
	do {
		n = read_some(s, to, size);
	} while (n == -EAGAIN && !tcphs_stop_asked());
	return n > 0 ? n : 0;
}

/* ---- records -------------------------------------------------------------- */

/* One that has a name. */
static bool is_state(unsigned int state)
{
	return state != TCPHS_STATE_UNKNOWN && state <= TCPHS_STATE_MAX;
}

/* Returns what is wrong, or NULL. Text fields get their NUL. */
static const char *check_record(const struct tcphs_source *s, struct tcphs_record *r)
{
	if (s->header.cpus && r->cpu >= s->header.cpus)
		return "CPU number";
	if (r->n > MAX_NUMBER || r->ts > MAX_NUMBER)
		return "record number or time";
	switch (r->kind) {
	case TCPHS_TRANSITION:
		if (!is_state(r->transition.old) || !is_state(r->transition.new))
			return "state";
		if (!r->transition.via || r->transition.via > TCPHS_VIA_TIMEWAIT)
			return "via";
		if (r->transition.via != TCPHS_VIA_REQUEST)
			r->transition.comm[sizeof(r->transition.comm) - 1] = '\0';
		else
			r->transition.has &= ~TCPHS_HAS_OWNER;
		break;
	case TCPHS_SEGMENT:
		if (r->segment.state > TCPHS_STATE_MAX)
			return "state";
		break;
	case TCPHS_RESET:
		if (r->reset.state > TCPHS_STATE_MAX)
			return "state";
		if (r->reset.out > 1)
			return "direction";
		r->reset.comm[sizeof(r->reset.comm) - 1] = '\0';
		break;
	case TCPHS_DESTROY:
		break;
	case TCPHS_LOST:
		if (!r->lost.count)
			return "count";
		break;
	case TCPHS_ACCEPT:
		if (r->accept.state > TCPHS_STATE_MAX)
			return "state";
		r->accept.comm[sizeof(r->accept.comm) - 1] = '\0';
		break;
	default:
		return "kind";
	}
	return NULL;
}

static void say_truncated(struct tcphs_source *s)
{
	s->status = TCPHS_EXIT_FAILED;
	if (!s->quiet)
		tcphs_message_print("%s: truncated: record %" PRIu64 " has %zu of %zu bytes",
				    s->name, s->number, s->end - s->begin, s->record_size);
}

/* Begin at the front of the buffer again. */
static void move_up(struct tcphs_source *s)
{
	memmove(s->buffer, s->buffer + s->begin, s->end - s->begin);
	s->end -= s->begin;
	s->begin = 0;
}

size_t tcphs_source_left(const struct tcphs_source *s)
{
	size_t waiting = s->stock ? tcphs_stock_left(s->stock) : 0;

	return (s->end - s->begin + waiting) / s->record_size;
}

/* Have at least one whole record at `begin`, if there is one. */
static enum tcphs_source_result fill(struct tcphs_source *s)
{
	while (s->end - s->begin < s->record_size) {
		ssize_t n;

		if (s->ended)
			return TCPHS_SOURCE_END;
		/* The module gives whole records: of those nothing is left to move. */
		move_up(s);
		n = read_some(s, s->buffer + s->end, TCPHS_BATCH - s->end);
		if (n == -EAGAIN) {
			if (!s->follow)
				return TCPHS_SOURCE_END;
			if (tcphs_stop_asked()) {
				/* The signal may have cut that look short. */
				if (s->looked_again)
					return TCPHS_SOURCE_END;
				s->looked_again = true;
				continue;
			}
			if (!wait_more(s))
				return TCPHS_SOURCE_IDLE;
			continue;
		}
		if (n <= 0) {
			s->ended = true;
			if (s->end > s->begin)
				say_truncated(s);
			return TCPHS_SOURCE_END;
		}
		s->buffer = s->now->bytes;
		s->end += n;
	}
	return TCPHS_SOURCE_RECORD;
}

/* The next good record as it stands in the stream. */
static enum tcphs_source_result next(struct tcphs_source *s, struct tcphs_record *r)
{
	enum tcphs_source_result result;
	const char *wrong;

	for (;;) {
		result = fill(s);
		if (result != TCPHS_SOURCE_RECORD)
			return result;
		s->raw = s->buffer + s->begin;
		memcpy(r, s->raw, sizeof(*r));
		s->begin += s->record_size;
		if (s->swapped)
			tcphs_endian_record(r);
		wrong = check_record(s, r);
		if (!wrong)
			break;
		s->number++;
		/* A later minor version may have kinds of its own. */
		if (s->header.abi_minor > TCPHS_ABI_MINOR && !strcmp(wrong, "kind"))
			continue;
		if (s->damaged++ < DAMAGE_SHOWN && !s->quiet)
			tcphs_message_print("%s: record %" PRIu64 " is damaged (%s) and left out",
					    s->name, s->number - 1, wrong);
		s->status = TCPHS_EXIT_FAILED;
	}
	s->number++;
	return TCPHS_SOURCE_RECORD;
}

static void count_lost(struct tcphs_source *s, const struct tcphs_record *r)
{
	uint64_t until = r->lost.until ? r->lost.until : r->ts;

	s->lost += r->lost.count;
	if (until <= s->header.complete)
		s->overwritten += r->lost.count;
}

enum tcphs_source_result tcphs_source_read(struct tcphs_source *s,
					   struct tcphs_record *r)
{
	enum tcphs_source_result result;
	struct tcphs_record lost;

	if (s->holding) {
		*r = s->held;
		s->holding = false;
		s->raw = s->buffer + s->begin - s->record_size;
		return TCPHS_SOURCE_RECORD;
	}
	result = next(s, r);
	if (result != TCPHS_SOURCE_RECORD)
		return result;
	/* What happened after the question was asked is not its answer. */
	if (s->live && !s->follow && r->ts > s->header.opened)
		return TCPHS_SOURCE_END;
	if (s->plain)
		return TCPHS_SOURCE_RECORD;
	if (tcphs_gap_run(s->gaps, r, 1))
		return TCPHS_SOURCE_RECORD;
	if (r->kind == TCPHS_LOST)
		count_lost(s, r);
	/* With one netns delivered only, the other ones' numbers are missing. */
	if (tcphs_gap_find(s->gaps, r, &lost) && !s->header.netns) {
		count_lost(s, &lost);
		s->held = *r;
		s->holding = true;
		s->raw = NULL;
		*r = lost;
	}
	return TCPHS_SOURCE_RECORD;
}

size_t tcphs_source_run(struct tcphs_source *s, uint64_t most, const void **bytes)
{
	const struct tcphs_record *r = (const void *)(s->buffer + s->begin);
	size_t have = (s->end - s->begin) / sizeof(*r), n;

	if (!s->live || s->holding || s->plain || s->record_size != sizeof(*r))
		return 0;
	*bytes = r;
	if (have > most)
		have = most;
	n = tcphs_gap_run(s->gaps, r, have);
	s->begin += n * sizeof(*r);
	s->number += n;
	return n;
}

const struct tcphs_header *tcphs_source_header(const struct tcphs_source *s)
{
	return &s->header;
}

void tcphs_source_wake(struct tcphs_source *s, int fd)
{
	s->wake = fd;
}

uint64_t tcphs_source_lost(const struct tcphs_source *s)
{
	return s->lost;
}

uint64_t tcphs_source_overwritten(const struct tcphs_source *s)
{
	return s->overwritten;
}

int tcphs_source_status(const struct tcphs_source *s)
{
	return s->status;
}

void tcphs_source_blame(struct tcphs_source *s, int status)
{
	if (!s->status)
		s->status = status;
}

const void *tcphs_source_raw_header(const struct tcphs_source *s, size_t *size)
{
	*size = s->header_size;
	return s->raw_header;
}

const void *tcphs_source_raw_record(const struct tcphs_source *s, size_t *size)
{
	*size = s->record_size;
	return s->raw;
}
