/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_STOCK_H
#define TCPHS_STOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What the module's ring has is taken in while older records are still worked on, or
 * while the output waits for a disk or for who reads it: a thread of its own sees to
 * that. Whoever is slower than the writers for a while needs memory then, up to an
 * eighth of the machine's and 512 MiB, but loses nothing.
 */
struct tcphs_stock;

enum { TCPHS_BATCH = 256 << 10 };

/* Records as they came, whole ones. */
struct tcphs_batch {
	struct tcphs_batch *next;	/* the stock's own */
	size_t end;			/* bytes that are in it */
	uint8_t bytes[TCPHS_BATCH];
};

/* Bytes of memory that a stock may take: see above; the same of `ulimit -v`. */
size_t tcphs_stock_most(void);

/*
 * Takes in what comes from `fd`, open with O_NONBLOCK, which gives whole records of
 * `record_size` bytes, as long as that takes no more than `most` bytes of memory: what
 * comes then stays with `fd`. The thread takes no signals. Returns NULL after a message:
 * there is no thread to be had.
 */
struct tcphs_stock *tcphs_stock_new(int fd, size_t record_size, size_t most);

/* Ends the thread; `k` may be NULL. */
void tcphs_stock_free(struct tcphs_stock *k);

/*
 * The oldest batch that was taken in comes in the place of *now, which has been worked
 * on and is taken back; when there is none, what `fd` has is read into *now. Returns
 * the bytes, or what read(2) does, with errno: after that the caller may wait for `fd`,
 * since nothing is taken in; up to tcphs_stock_go_on(), or till it calls this again.
 */
ssize_t tcphs_stock_read(struct tcphs_stock *k, struct tcphs_batch **now);

/* The caller does something else again. */
void tcphs_stock_go_on(struct tcphs_stock *k);

/* Bytes that were taken in and not worked on. */
size_t tcphs_stock_left(struct tcphs_stock *k);

#endif
