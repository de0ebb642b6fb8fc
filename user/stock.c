// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "message.h"
#include "stock.h"

/*
 * The thread looks as often as this, and more seldom while the caller waits and nothing
 * comes. A ring of 1 MiB for each CPU is full after 80 ms at 100,000 records a second
 * on that CPU.
 */
#define TICK_NS 10000000L
#define TICK_MOST_NS 40000000L

/* Of the machine's memory, or what `ulimit -v` leaves of it, so much may be taken. */
#define SHARE 8
#define MOST (512UL << 20)

/* Batches that are kept for what comes next. */
enum { SPARE_MOST = 4 };

struct tcphs_stock {
	int fd;
	size_t record_size;
	pthread_t thread;

	pthread_mutex_t lock;		/* of all that follows, and of reading from fd */
	pthread_cond_t wake;		/* the thread is to look now */
	long tick;			/* for which it waits, ns */
	bool resting;			/* the caller waits for records itself */
	bool ended;			/* the thread has met the end of fd */
	bool closing;
	unsigned int emptied;		/* how often tcphs_stock_read() has emptied fd */
	size_t most;			/* bytes of memory */
	struct tcphs_batch *oldest;	/* what was taken in */
	struct tcphs_batch *newest;
	size_t stocked;			/* ... bytes of memory that it has */
	size_t waiting;			/* ... and bytes that are in it */
	struct tcphs_batch *spare;
	unsigned int spares;
};

size_t tcphs_stock_most(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	size_t share = pages > 0 && size > 0 ? (size_t)pages / SHARE * size : 0;
	struct rlimit limit;

	if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur / SHARE < share)
		share = limit.rlim_cur / SHARE;
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
		if (!b) {
			/* The rest of the program needs some, too. */
			k->most = k->stocked / 2;
			return NULL;
		}
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

/* What a read() of so much gave was all that there was: a record more had found room. */
static bool is_all(const struct tcphs_stock *k, size_t asked, size_t given)
{
	return asked - given >= k->record_size;
}

/* What the ring has, each batch as long as it has room for a whole record. */
static void take_in(struct tcphs_stock *k)
{
	size_t room;
	ssize_t n;

	do {
		struct tcphs_batch *last = k->newest;

		if (!last || TCPHS_BATCH - last->end < k->record_size)
			last = append(k);
		if (!last)
			return;
		room = TCPHS_BATCH - last->end;
		n = read(k->fd, last->bytes + last->end, room);
		if (n <= 0) {
			/* An error is the caller's to see: it comes again. */
			k->ended |= !n;
			return;
		}
		last->end += n;
		k->waiting += n;
	} while (!is_all(k, room, n));
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
		bool emptied = k->emptied != seen;

		seen = k->emptied;
		if (!emptied && !k->resting)
			take_in(k);
		if (emptied || !k->resting)
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

struct tcphs_stock *tcphs_stock_new(int fd, size_t record_size, size_t most)
{
	struct tcphs_stock *k = tcphs_memory_get(1, sizeof(*k));
	int error;

	k->fd = fd;
	k->record_size = record_size;
	k->most = most;
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
	} else if (k->ended) {
		n = 0;
	} else {
		n = read(k->fd, (*now)->bytes, TCPHS_BATCH);
		/* Else more is there already, and what was taken in is no look at all. */
		if (n > 0 && is_all(k, TCPHS_BATCH, n))
			k->emptied++;
	}
	k->resting = n <= 0;
	if (n > 0 && k->tick > TICK_NS)
		pthread_cond_signal(&k->wake);
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
