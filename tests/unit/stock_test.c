// SPDX-License-Identifier: GPL-2.0
/* What a thread takes in while others are kept; a pipe stands for the module. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stock.h"
#include "tap.h"

enum {
	RECORD = 128,
	FULL = 512,		/* records that a pipe takes */
	FILL = FULL * RECORD,
	FILLS = 24,		/* pipes full: six batches */
	BEHIND = 100,		/* pipes full: so many that catching up takes its time */
	MOST = 3,		/* batches */
	STREAM = 200000,	/* records */
	WAIT_US = 5000,
	WAITS = 2000,		/* of these, before the thread is given up */
	LOOK_US = 200000,	/* the thread has looked, and looked again */
	WORK_US = 4000,		/* on a batch: less than the thread's tick */
};

struct record {
	unsigned long n;
	char rest[RECORD - sizeof(unsigned long)];
};

static struct tcphs_stock *stock;
static struct tcphs_batch *now;
static unsigned long written, delivered, wrong;
static int ends[2];

static void begin_with(size_t most)
{
	written = delivered = wrong = 0;
	if (pipe2(ends, O_CLOEXEC) || fcntl(ends[0], F_SETFL, O_NONBLOCK))
		abort();
	now = malloc(sizeof(*now));
	stock = tcphs_stock_new(ends[0], RECORD, most);
}

static void begin(void)
{
	begin_with(tcphs_stock_most());
}

static void end(void)
{
	tcphs_stock_free(stock);
	free(now);
	close(ends[0]);
}

static void put(unsigned long count)
{
	struct record r = { 0 };

	while (count--) {
		r.n = written++;
		if (write(ends[1], &r, sizeof(r)) != sizeof(r))
			abort();
	}
}

/* Returns what tcphs_stock_read() does, with the order looked at. */
static ssize_t take(void)
{
	ssize_t n = tcphs_stock_read(stock, &now), i;

	for (i = 0; i < n / RECORD; i++)
		wrong += ((struct record *)now->bytes)[i].n != delivered++;
	wrong += n > 0 && n % RECORD;
	return n;
}

static void end_caught_up(const char *name)
{
	while (take() > 0)
		;
	tap_ok(delivered == written && !wrong, "%s", name);
	end();
	close(ends[1]);
}

/* As many bytes as `want` are taken in, sooner or later. */
static bool comes(size_t want)
{
	unsigned int i;

	for (i = 0; i < WAITS && tcphs_stock_left(stock) != want; i++)
		usleep(WAIT_US);
	return tcphs_stock_left(stock) == want;
}

/* Returns whether that many pipes full were taken in, of a stock that was empty. */
static bool fill(unsigned int fills)
{
	unsigned int i;

	for (i = 0; i < fills; i++) {
		put(FULL);
		if (!comes((i + 1UL) * FILL))
			return false;
	}
	return true;
}

static int in_pipe(void)
{
	int bytes;

	if (ioctl(ends[0], FIONREAD, &bytes))
		abort();
	return bytes;
}

static void test_kept(void)
{
	begin();
	tap_ok(take() < 0 && errno == EAGAIN, "stock: at first there is nothing");
	put(10);
	tap_number(take(), 10 * RECORD, "stock: what is there is read at once");
	tap_ok(fill(FILLS), "stock: who is kept has it taken in");
	while (take() > 0)
		;
	tap_ok(errno == EAGAIN && delivered == written && !wrong,
	       "stock: then all comes, in its order");
	tap_number(tcphs_stock_left(stock), 0, "stock: nothing is left");

	put(10);
	usleep(LOOK_US);
	tap_number(tcphs_stock_left(stock), 0, "stock: from who waits nothing is taken");
	tap_number(take(), 10 * RECORD, "stock: it is for who waited");
	put(FULL);
	tap_ok(comes(FILL), "stock: then it is taken in again");
	while (take() > 0)
		;
	tcphs_stock_go_on(stock);
	put(FULL);
	tap_ok(comes(FILL), "stock: and for who has waited in vain");
	put(5);
	close(ends[1]);
	while (take() > 0)
		;
	tap_ok(delivered == written && !wrong, "stock: all comes before the end");
	tap_number(take(), 0, "stock: the end stays the end");
	end();
}

/* Who works off what was taken in does not look at what comes: that is taken in, too. */
static void test_catching_up(void)
{
	bool seen = false;

	begin();
	put(1);
	take();
	tap_ok(fill(BEHIND), "stock: far behind");
	put(FULL);
	while (!seen && tcphs_stock_left(stock)) {
		seen = !in_pipe();
		take();
		usleep(WORK_US);
	}
	tap_ok(seen, "stock: what comes is taken in while older records are worked on");
	end_caught_up("stock: caught up, in its order");
}

/* A batch in one read says nothing of what is there behind it. */
static void test_full_batches(void)
{
	unsigned int i;
	bool seen = false;

	begin();
	if (fcntl(ends[1], F_SETPIPE_SZ, 2 * TCPHS_BATCH) < 2 * TCPHS_BATCH) {
		tap_ok(true, "stock: full batches # SKIP a pipe takes less than two");
		end();
		close(ends[1]);
		return;
	}
	put(1);
	take();
	for (i = 0; i < FILLS && !seen; i++) {
		put((2 * TCPHS_BATCH - in_pipe()) / RECORD);
		take();
		usleep(WORK_US);
		seen = tcphs_stock_left(stock);
	}
	tap_ok(seen, "stock: who gets full batches has the rest taken in");
	end_caught_up("stock: full batches, in their order");
}

static void test_most(void)
{
	begin_with(MOST * TCPHS_BATCH);
	put(1);
	take();
	tap_ok(fill(MOST * TCPHS_BATCH / FILL), "stock: as much as it may");
	put(FULL);
	usleep(LOOK_US);
	tap_number(in_pipe(), FILL, "stock: and no more");
	end_caught_up("stock: then that, too, in its order");
}

static void test_stream(void)
{
	ssize_t n;
	pid_t pid;
	int status;

	begin();
	pid = fork();
	if (!pid) {
		put(STREAM);
		_exit(0);
	}
	close(ends[1]);
	while ((n = take())) {
		if (n < 0 && delivered % 2)
			tcphs_stock_go_on(stock);
		if (n < 0 || delivered % 3 == 0)
			usleep(n < 0 ? 1000 : 15000);
	}
	waitpid(pid, &status, 0);
	tap_number(delivered, STREAM, "stock: a stream: each record comes");
	tap_number(wrong, 0, "stock: a stream: in its order");
	end();
}

static void test_unread(void)
{
	begin();
	put(1);
	take();
	put(FULL);
	tap_ok(comes(FILL), "stock: taken in, and nobody comes");
	end();
	close(ends[1]);
	begin();
	end();
	close(ends[1]);
	tap_ok(true, "stock: it ends all the same");
}

int main(void)
{
	test_kept();
	test_catching_up();
	test_full_batches();
	test_most();
	test_stream();
	test_unread();
	return tap_end();
}
