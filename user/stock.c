// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "message.h"
#include "stock.h"

/*
 * The thread looks as often as this, and more seldom while nothing comes. A ring of
 * 1 MiB for each CPU is full after 80 ms at 100,000 records a second on that CPU.
 */
#define TICK_NS 10000000L
#define TICK_MOST_NS 80000000L

/* Of the machine's memory so much may be taken. */
#define SHARE 8
#define MOST (512UL << 20)

/* Batches that are kept for what comes next. */
enum { SPARE_MOST = 4 };

struct tcphs_stock {
	int fd;
	size_t record_size;
	size_t most;			/* bytes of memory */
	pthread_t thread;

	pthread_mutex_t lock;		/* of all that follows, and of reading from fd */
	pthread_cond_t wake;		/* the thread is to look now */
	long tick;			/* for which it waits, ns */
	bool resting;			/* the caller waits for records itself */
	bool closing;
	unsigned int calls;		/* of tcphs_stock_read() that gave something */
	struct tcphs_batch *oldest;	/* what was taken in */
	struct tcphs_batch *newest;
	size_t stocked;			/* ... bytes of memory that it has */
	size_t waiting;			/* ... and bytes that are in it */
	struct tcphs_batch *spare;
	unsigned int spares;
};

static size_t limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	size_t share = pages > 0 && size > 0 ? (size_t)pages / SHARE * size : 0;

	return share < MOST ? share : MOST;
}

/* An empty one behind the others. NULL: there is no memory for it. */
static struct tcphs_batch *append(struct tcphs_stock *k)
{
	struct tcphs_batch *b = k->spare;

	if (k->stocked + TCPHS_BATCH > k->most)
		return NULL;
	if (b) {
		k->spare = b->next;
		k->spares--;
	} else {
		b = malloc(sizeof(*b));
		if (!b)
			return NULL;
	}
	b->next = NULL;
	b->end = 0;
	if (k->newest)
		k->newest->next = b;
	else
		k->oldest = b;
	k->newest = b;
	k->stocked += TCPHS_BATCH;
	return b;
}

static void give_back(struct tcphs_stock *k, struct tcphs_batch *b)
{
	if (k->spares == SPARE_MOST) {
		free(b);
		return;
	}
	b->next = k->spare;
	k->spare = b;
	k->spares++;
}

/*
 * All that the ring has, each batch as long as it has room for a whole record. false:
 * nothing came, or there is no more room.
 */
static bool take_in(struct tcphs_stock *k)
{
	bool came = false;

	for (;;) {
		struct tcphs_batch *last = k->newest;
		ssize_t n;

		if (!last || TCPHS_BATCH - last->end < k->record_size)
			last = append(k);
		if (!last)
			return came;
		/* An end or an error is the caller's to see: it comes again. */
		n = read(k->fd, last->bytes + last->end, TCPHS_BATCH - last->end);
		if (n <= 0)
			return came;
		last->end += n;
		k->waiting += n;
		came = true;
	}
}

static void wait_tick(struct tcphs_stock *k)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += k->tick;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&k->wake, &k->lock, &until);
}

static void *keep(void *arg)
{
	struct tcphs_stock *k = arg;
	unsigned int seen = 0;

	pthread_mutex_lock(&k->lock);
	while (!k->closing) {
		bool came = k->calls != seen;

		seen = k->calls;
		/* Who comes often enough gets all by itself. */
		if (came || (!k->resting && take_in(k)))
			k->tick = TICK_NS;
		else if (k->tick < TICK_MOST_NS)
			k->tick *= 2;
		wait_tick(k);
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

/* Returns an errno value. */
static int start(struct tcphs_stock *k)
{
	pthread_condattr_t clock;
	sigset_t all, before;
	int error;

	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&k->wake, &clock);
	pthread_condattr_destroy(&clock);
	/* What ends the program interrupts the one that waits for records. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&k->thread, NULL, keep, k);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct tcphs_stock *tcphs_stock_new(int fd, size_t record_size)
{
	struct tcphs_stock *k = tcphs_memory_get(1, sizeof(*k));
	int error;

	k->fd = fd;
	k->record_size = record_size;
	k->most = limit();
	k->tick = TICK_NS;
	error = start(k);
	if (!error)
		return k;
	tcphs_message_print("no thread that takes records in: %s: see ulimit -u -v",
			    strerror(error));
	free(k);
	return NULL;
}

static void free_all(struct tcphs_batch *b)
{
	while (b) {
		struct tcphs_batch *next = b->next;

		free(b);
		b = next;
	}
}

void tcphs_stock_free(struct tcphs_stock *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->closing = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	pthread_cond_destroy(&k->wake);
	pthread_mutex_destroy(&k->lock);
	free_all(k->oldest);
	free_all(k->spare);
	free(k);
}

ssize_t tcphs_stock_read(struct tcphs_stock *k, struct tcphs_batch **now)
{
	struct tcphs_batch *b;
	ssize_t n;

	pthread_mutex_lock(&k->lock);
	b = k->oldest;
	if (b && b->end) {
		k->oldest = b->next;
		if (!k->oldest)
			k->newest = NULL;
		k->stocked -= TCPHS_BATCH;
		k->waiting -= b->end;
		n = b->end;
		give_back(k, *now);
		*now = b;
	} else {
		n = read(k->fd, (*now)->bytes, TCPHS_BATCH);
	}
	k->resting = n <= 0;
	if (n > 0) {
		k->calls++;
		if (k->tick > TICK_NS)
			pthread_cond_signal(&k->wake);
	}
	pthread_mutex_unlock(&k->lock);
	return n;
}

void tcphs_stock_go_on(struct tcphs_stock *k)
{
	pthread_mutex_lock(&k->lock);
	k->resting = false;
	pthread_mutex_unlock(&k->lock);
}

size_t tcphs_stock_left(struct tcphs_stock *k)
{
	size_t left;

	pthread_mutex_lock(&k->lock);
	left = k->waiting;
	pthread_mutex_unlock(&k->lock);
	return left;
}
