/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_INPUT_H
#define TCPHS_INPUT_H

#include "host.h"
#include "settings.h"
#include "source.h"

/*
 * What a command reads: the module, one recording, or several ones as if one
 * machine had recorded them. Then times are on the clock of the first one's
 * host, `netns` is a place (host.h), and records that several recordings have in
 * common come once.
 */
struct tcphs_input;

/*
 * `follow` as of a source. Returns NULL after a message, with the exit status in
 * *status. Of several recordings those that cannot be read are left out, after a
 * message; the status at the end then tells.
 */
struct tcphs_input *tcphs_input_open(const struct tcphs_settings *s, bool follow,
				     int *status);
void tcphs_input_close(struct tcphs_input *in);

/*
 * The end of a command that printed: close, and say what went wrong with standard
 * output. Returns the exit status: `status` unless 0, or that of the input; with
 * `strict` lost records have one.
 */
int tcphs_input_finish(struct tcphs_input *in, int status, bool strict);

/* Of the first recording; valid until closing. */
const struct tcphs_header *tcphs_input_header(const struct tcphs_input *in);
const struct tcphs_hosts *tcphs_input_hosts(const struct tcphs_input *in);

/* As those of a source. */
enum tcphs_source_result tcphs_input_read(struct tcphs_input *in, struct tcphs_record *r);
void tcphs_input_wake(struct tcphs_input *in, int fd);
uint64_t tcphs_input_lost(const struct tcphs_input *in);
/* ... of several none: each has a time of its own from which on it is complete. */
uint64_t tcphs_input_overwritten(const struct tcphs_input *in);

/* Records that were taken in and not delivered. */
size_t tcphs_input_left(const struct tcphs_input *in);
int tcphs_input_status(const struct tcphs_input *in);

/* Which part of the recordings has been read, 0 to 1; below 0: nobody knows. */
double tcphs_input_share(const struct tcphs_input *in);

#endif
