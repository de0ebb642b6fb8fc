/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_SOURCE_H
#define TCPHS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

/*
 * Where records come from: /proc/tcphs/events or a recording. What it delivers
 * is checked: every enumeration is in its range, text has its NUL, and a gap in
 * a CPU's record numbers is preceded by a TCPHS_LOST record, made here where
 * the stream has none (a damaged record that was left out is such a gap).
 */
struct tcphs_source;

enum tcphs_source_result {
	TCPHS_SOURCE_END,		/* nothing more will come */
	TCPHS_SOURCE_RECORD,
	TCPHS_SOURCE_IDLE,		/* following, and nothing came for 100 ms */
};

/*
 * Open `path`: NULL the module, "-" standard input, else a recording. Without
 * `follow` the module's stream ends at the moment of opening, a recording's at
 * its end. Of who follows the module a thread takes records in meanwhile (stock.h).
 * Returns NULL after a message, with the exit status in *status.
 */
struct tcphs_source *tcphs_source_open(const char *path, bool follow, int *status);

/* The same of a recording that is open already; `name` is for messages. */
struct tcphs_source *tcphs_source_open_fd(int fd, const char *name, int *status);

/* The same of one in memory, which the source frees, also when it fails. */
struct tcphs_source *tcphs_source_open_bytes(uint8_t *bytes, size_t size, const char *name,
					     int *status);

/*
 * It is JSON: there is no header and no record, only bytes. Returns how many were
 * read; 0: the end, or a failure that the status tells.
 */
bool tcphs_source_json(const struct tcphs_source *s);
size_t tcphs_source_bytes(struct tcphs_source *s, void *to, size_t size);
const char *tcphs_source_name(const struct tcphs_source *s);

void tcphs_source_close(struct tcphs_source *s);

/* Say nothing of what is wrong in it: it will be read again. */
void tcphs_source_quiet(struct tcphs_source *s, bool quiet);

/* Make no TCPHS_LOST records: somebody else looks for gaps. */
void tcphs_source_plain(struct tcphs_source *s);

/* Read a recording from its first record again. */
void tcphs_source_rewind(struct tcphs_source *s);

/* Bytes of a recording that were read, of how many; 0: nobody knows. */
void tcphs_source_position(const struct tcphs_source *s, uint64_t *done, uint64_t *size);

/* In this machine's byte order; valid until closing. */
const struct tcphs_header *tcphs_source_header(const struct tcphs_source *s);

enum tcphs_source_result tcphs_source_read(struct tcphs_source *s,
					   struct tcphs_record *r);

/*
 * Those records of the module, up to `most`, that came with the last one and go on
 * from it without a gap, as they stand in the buffer until the next reading. They
 * are taken with that. Returns how many; 0 is no end.
 */
size_t tcphs_source_run(struct tcphs_source *s, uint64_t most, const void **bytes);

/*
 * Reading that waits for the module's next records also ends, as idle, when
 * there is something to read from `fd`.
 */
void tcphs_source_wake(struct tcphs_source *s, int fd);

/* Records that were taken in and not delivered. */
size_t tcphs_source_left(const struct tcphs_source *s);

/* Records that the stream says were lost, so far. */
uint64_t tcphs_source_lost(const struct tcphs_source *s);

/* Those of them that were overwritten before header.complete, and not while it was read. */
uint64_t tcphs_source_overwritten(const struct tcphs_source *s);

/* TCPHS_EXIT_DONE, or what went wrong while reading (it has been said). */
int tcphs_source_status(const struct tcphs_source *s);

/* Something was wrong before it was a source; DONE: nothing. */
void tcphs_source_blame(struct tcphs_source *s, int status);

/*
 * The bytes as they came, for `record`: the header, and the record that was
 * last delivered (NULL when it was made here).
 */
const void *tcphs_source_raw_header(const struct tcphs_source *s, size_t *size);
const void *tcphs_source_raw_record(const struct tcphs_source *s, size_t *size);

#endif
