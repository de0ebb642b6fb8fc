// SPDX-License-Identifier: GPL-2.0
/*
 * `tcphs record`: the stream into a file, byte for byte. Only whole records are
 * ever in the file, and what came is written at least each time the stream is
 * idle: a recorder that is killed leaves a file that can be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle.h"
#include "command.h"
#include "memory.h"
#include "message.h"
#include "number.h"
#include "outlet.h"
#include "record.h"
#include "source.h"
#include "stop.h"

#define PROGRESS_NS 500000000ULL
/* A stream that is never idle is written as often as this. */
#define WAIT_NS 1000000000ULL

/* What comes in pieces of up to MANY bytes is put together first. */
enum { BUFFER = 64 << 10, MANY = 16 << 10 };

struct recorder {
	const char *name;
	int fd;
	bool regular;		/* can be cut */
	uint64_t start;		/* ... of which this was not written by us: bytes */
	uint64_t written;	/* bytes of whole records, behind that */
	size_t step;		/* size of what is in the buffer: the header, then
				 * records
				 */
	uint8_t buffer[BUFFER];
	size_t used;
	uint64_t since;		/* when the first of it came */
	uint64_t records;
	bool gone;		/* nobody reads the pipe any more */
	bool progress;
	uint64_t shown;
};

/* Where the first byte is going to be written. */
static uint64_t find_start(int fd, const struct stat *st)
{
	off_t at = fcntl(fd, F_GETFL) & O_APPEND ? st->st_size : lseek(fd, 0, SEEK_CUR);

	return at > 0 ? at : 0;
}

/*
 * The last record must not be half a one, of `half` bytes. Where the file does not end
 * with it others write, too: nothing of theirs is to be cut off.
 */
static void cut(const struct recorder *w, size_t half)
{
	off_t end = w->start + w->written;
	struct stat st;

	if (!w->regular || !half)
		return;
	if (!fstat(w->fd, &st) && st.st_size != end + (off_t)half)
		tcphs_message_print("%s: others write there, too: half a record stays",
				    w->name);
	/* Who writes next by this descriptor leaves no hole. */
	else if (ftruncate(w->fd, end) || lseek(w->fd, end, SEEK_SET) < 0)
		tcphs_message_print("%s: cannot be cut to whole records: %s", w->name,
				    strerror(errno));
}

static bool write_all(struct recorder *w, const uint8_t *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(w->fd, bytes + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = errno;

			w->written += done - done % w->step;
			cut(w, done % w->step);
			w->gone = error == EPIPE;
			if (!w->gone)
				tcphs_message_print("%s: %s: %" PRIu64 " bytes are whole",
						    w->name, strerror(error), w->written);
			return false;
		}
		done += n;
	}
	w->written += size;
	return true;
}

static bool flush(struct recorder *w)
{
	size_t used = w->used;

	w->used = 0;
	return write_all(w, w->buffer, used);
}

/* `size` bytes, of which each `step` are a whole. Many go into the file as they are. */
static bool put(struct recorder *w, const void *bytes, size_t size, size_t step)
{
	if ((w->used + size > BUFFER || (w->used && size > MANY)) && !flush(w))
		return false;
	w->step = step;
	if (size > MANY)
		return write_all(w, bytes, size);
	if (!w->used)
		w->since = tcphs_stop_now();
	memcpy(w->buffer + w->used, bytes, size);
	w->used += size;
	return true;
}

/* The record that was read last, and behind it up to `most` that came with it. */
static bool put_run(struct recorder *w, struct tcphs_source *source, uint64_t most)
{
	const void *bytes, *first;
	size_t size, n;

	first = tcphs_source_raw_record(source, &size);
	/* A gap made by the reader: the next reader finds it too. */
	if (!first)
		return true;
	n = tcphs_source_run(source, most, &bytes);
	w->records += 1 + n;
	if (!put(w, first, size + n * sizeof(struct tcphs_record), size))
		return false;
	if (!w->used || (!n && w->records % 64))
		return true;
	return tcphs_stop_now() < w->since + WAIT_NS || flush(w);
}

static void show(struct recorder *w, const struct tcphs_source *source, bool last)
{
	char count[TCPHS_NUMBER_SIZE], lost[TCPHS_NUMBER_SIZE];
	uint64_t now = tcphs_stop_now();

	if (!w->progress || (!last && now < w->shown + PROGRESS_NS))
		return;
	w->shown = now;
	fprintf(stderr, "\r%s records, %.1f MB, %s lost%s",
		tcphs_number_count(w->records, count),
		(w->written + w->used) / 1e6,
		tcphs_number_count(tcphs_source_lost(source), lost),
		last ? "\n" : " ");
	fflush(stderr);
}

static bool copy(struct recorder *w, struct tcphs_source *source,
		 const struct tcphs_settings *s)
{
	struct tcphs_record r;
	uint64_t until = 0, most;

	while (!s->count || w->records < s->count) {
		/* What has happened by then is written, however far behind we are. */
		if (!until && tcphs_stop_asked()) {
			if (s->nfiles)
				break;	/* another clock */
			until = tcphs_stop_now();
		}
		switch (tcphs_source_read(source, &r)) {
		case TCPHS_SOURCE_END:
			return flush(w);
		case TCPHS_SOURCE_IDLE:
			if (!flush(w))
				return false;
			if (until)
				return true;
			break;
		case TCPHS_SOURCE_RECORD:
			if (until && r.ts > until)
				return flush(w);
			/* Each that comes later is looked at: is it too late? */
			most = until ? 0 : s->count ? s->count - w->records - 1 :
						      UINT64_MAX;
			if (!put_run(w, source, most))
				return false;
			break;
		}
		show(w, source, false);
	}
	return flush(w);
}

/*
 * What is there already is emptied if it is not read, nor open by a descriptor that was
 * given; with `fresh` it is left alone.
 */
static int open_output(struct recorder *w, const struct tcphs_settings *s, bool fresh)
{
	bool given = !strcmp(w->name, "-");
	struct stat st;
	int status;

	if (given) {
		w->name = "standard output";
		w->fd = dup(STDOUT_FILENO);
	} else if (!fresh && !stat(w->name, &st)) {
		given = tcphs_outlet_descriptor(w->name, &st, &w->fd);
	}
	if (!given)
		w->fd = open(w->name, O_WRONLY | O_CREAT | O_CLOEXEC | (fresh ? O_EXCL : 0), 0600);
	w->regular = w->fd >= 0 && !fstat(w->fd, &st) && S_ISREG(st.st_mode);
	status = w->regular ? tcphs_outlet_refuse(s, w->name, &st) : TCPHS_EXIT_DONE;
	if (w->fd < 0 || (!status && w->regular && !given && ftruncate(w->fd, 0))) {
		tcphs_message_print("%s: %s", w->name, strerror(errno));
		status = TCPHS_EXIT_FAILED;
	}
	if (!status && w->regular)
		w->start = find_start(w->fd, &st);
	if (status && w->fd >= 0)
		close(w->fd);
	return status;
}

int tcphs_record_run(const struct tcphs_settings *s)
{
	struct recorder *w;
	struct tcphs_source *source;
	const void *header;
	size_t size;
	int status;
	bool good;

	if (!s->output) {
		tcphs_message_print("record: where to? Use: tcphs record -o FILE");
		return TCPHS_EXIT_USAGE;
	}
	/* Before the file: without a source, no file is made or emptied. */
	source = tcphs_source_open(s->nfiles ? s->files[0] : NULL, !s->nfiles || s->follow,
				   &status);
	if (source)
		source = tcphs_bundle_only(source, &status);
	if (!source)
		return status;
	w = tcphs_memory_get(1, sizeof(*w));
	w->name = s->output;
	status = open_output(w, s, false);
	if (status) {
		tcphs_source_close(source);
		free(w);
		return status;
	}
	w->progress = isatty(STDERR_FILENO);
	tcphs_stop_catch(s->seconds);
	header = tcphs_source_raw_header(source, &size);
	good = put(w, header, size, size) && flush(w) && copy(w, source, s);
	if (close(w->fd) && good) {
		tcphs_message_print("%s: %s", w->name, strerror(errno));
		good = false;
	}
	show(w, source, true);
	status = tcphs_source_status(source);
	if (!status && s->strict && tcphs_source_lost(source))
		status = TCPHS_EXIT_LOST;
	tcphs_source_close(source);
	/* Whoever read it has seen enough. */
	if (!good && !w->gone)
		status = TCPHS_EXIT_FAILED;
	free(w);
	return status;
}

int tcphs_record_save(const char *from, const char *to, uint64_t *records)
{
	const struct tcphs_settings all = { 0 };
	struct tcphs_source *source;
	struct recorder *w;
	const void *header;
	size_t size;
	int status;
	bool good;

	source = tcphs_source_open(from, false, &status);
	if (source)
		source = tcphs_bundle_only(source, &status);
	if (!source)
		return status;
	w = tcphs_memory_get(1, sizeof(*w));
	w->name = to;
	status = open_output(w, &all, true);
	if (!status) {
		header = tcphs_source_raw_header(source, &size);
		good = put(w, header, size, size) && flush(w) && copy(w, source, &all);
		if (close(w->fd) && good) {
			tcphs_message_print("%s: %s", w->name, strerror(errno));
			good = false;
		}
		status = good ? tcphs_source_status(source) : TCPHS_EXIT_FAILED;
	}
	*records = w->records;
	tcphs_source_close(source);
	free(w);
	return status;
}
