// SPDX-License-Identifier: GPL-2.0
/* The clocks of hosts, compared by segments whose real times are known. */
#include <inttypes.h>
#include <string.h>

#include "align.h"
#include "names.h"
#include "tap.h"

#define MS 1000000LL
#define SECOND 1000000000LL
#define REAL 1000000000000LL	/* the reference's clock at the beginning */

/* A host's clock: how it shows the reference's time `t`. */
struct clock {
	int64_t offset;
	double drift;
};

static uint64_t shown(const struct clock *c, int64_t t)
{
	return t + c->offset + (int64_t)(c->drift * (double)(t - REAL));
}

static void feed(struct tcphs_align *a, size_t host, uint64_t ts, bool out, size_t from,
		 size_t to, uint32_t seq)
{
	size_t local = out ? from : to, remote = out ? to : from;
	struct tcphs_record r = {
		.ts = ts,
		.kind = TCPHS_SEGMENT,
		.saddr = { 10, 0, 0, local },
		.daddr = { 10, 0, 0, remote },
		/* A connection for each 64 numbers. */
		.sport = 1000 + local + seq / 64 % 1000 * 16,
		.dport = 1000 + remote + seq / 64 % 1000 * 16,
		.segment = {
			.mark = out ? TCPHS_SEG_OUT : 0,
			.offset = 5 << 4,
			.flags = TCPHS_ACK,
			.seq = seq,
		},
	};

	tcphs_align_feed(a, host, &r);
}

/* One segment at the time `t` that takes `delay`. */
static void send(struct tcphs_align *a, const struct clock *c, size_t from, size_t to,
		 int64_t t, int64_t delay, uint32_t seq)
{
	feed(a, from, shown(&c[from], t), true, from, to, seq);
	feed(a, to, shown(&c[to], t + delay), false, from, to, seq);
}

/* Requests and answers for `seconds`, with a delay that varies. */
static void talk(struct tcphs_align *a, const struct clock *c, size_t x, size_t y,
		 int64_t seconds, int64_t there, int64_t back)
{
	uint32_t noise = 1, i;

	for (i = 0; i < 20 * seconds; i++) {
		int64_t t = REAL + i * 50 * MS;

		noise = noise * 1103515245 + 12345;
		send(a, c, x, y, t, there + noise % 100000, 2 * i);
		noise = noise * 1103515245 + 12345;
		send(a, c, y, x, t + 10 * MS, back + noise % 100000, 2 * i + 1);
	}
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* At `t` the host's time comes out as the reference's, within the error. */
static bool is_right(const struct tcphs_align_clock *clock, const struct clock *c, size_t host,
		     int64_t t, uint64_t more)
{
	uint64_t at = tcphs_align_time(&clock[host], shown(&c[host], t));

	if (apart(at, t) <= clock[host].error + more)
		return true;
	tap_note("host %zu: %" PRIu64 " in place of %" PRId64 ", error %" PRIu64, host, at,
		 t, clock[host].error);
	return false;
}

static void test_two(void)
{
	const struct clock c[] = { { 0, 0 }, { -5 * SECOND + 123, 0 } };
	const int64_t wall[] = { 0, 0 };
	struct tcphs_align_clock clock[2];
	struct tcphs_align *a = tcphs_align_new(2);

	talk(a, c, 0, 1, 60, MS, MS);
	tcphs_align_find(a, wall, clock);
	tap_ok(clock[1].how == TCPHS_ALIGN_EXCHANGE && !clock[1].drift && !clock[1].uneven,
	       "align: by exchange, no drift where none is needed");
	tap_ok(is_right(clock, c, 1, REAL, 0) && is_right(clock, c, 1, REAL + 60 * SECOND, 0),
	       "align: within the error");
	tap_ok(clock[1].error >= MS && clock[1].error < MS + MS / 10,
	       "align: the error is half the shortest round trip");
	tap_ok(apart(5 * SECOND - 123, clock[1].offset) < MS / 10,
	       "align: equal ways cancel out");
	tap_ok(tcphs_align_time(&clock[1], 0) == 0, "align: an unknown time stays unknown");
	tcphs_align_free(a);
}

static void test_drift(void)
{
	const struct clock c[] = { { 0, 0 }, { 7 * SECOND, 30e-6 } };
	const int64_t wall[] = { 0, 0 };
	struct tcphs_align_clock clock[2];
	struct tcphs_align *a = tcphs_align_new(2);
	int64_t second;
	bool right = true;

	/* 18 ms in 10 minutes, and 200 us for a round trip. */
	talk(a, c, 0, 1, 600, MS / 10, MS / 10);
	tcphs_align_find(a, wall, clock);
	for (second = 0; second <= 600; second += 60)
		right &= is_right(clock, c, 1, REAL + second * SECOND, 2000);
	tap_ok(right, "align: a drift is found");
	tap_ok(!clock[1].uneven && clock[1].error < MS / 4, "align: ... with a small error");
	tcphs_align_free(a);
}

static void test_chain(void)
{
	const struct clock c[] = { { 0, 0 }, { SECOND, 0 }, { -SECOND, 0 }, { 3, 0 } };
	const int64_t wall[] = { 100, 200, 300, 400 };
	struct tcphs_align_clock clock[4];
	struct tcphs_align *a = tcphs_align_new(4);

	/* Host 2 talked with host 1 only, and host 3 with nobody. */
	talk(a, c, 0, 1, 5, MS, 3 * MS);
	talk(a, c, 1, 2, 5, MS, MS);
	feed(a, 3, REAL, true, 3, 9, 0);
	tcphs_align_find(a, wall, clock);
	tap_ok(clock[2].how == TCPHS_ALIGN_EXCHANGE && is_right(clock, c, 2, REAL, 0),
	       "align: by way of another host");
	tap_ok(clock[2].error > clock[1].error &&
	       tcphs_align_error(a, 1, 2) < clock[2].error &&
	       tcphs_align_error(a, 0, 2) == clock[2].error,
	       "align: errors add up along the way");
	tap_ok(clock[3].how == TCPHS_ALIGN_WALL && clock[3].offset == 300 &&
	       tcphs_align_error(a, 0, 3) == UINT64_MAX,
	       "align: by the wall clocks where nothing else compares");
	tcphs_align_free(a);
}

/* No segment arrives before it was sent, on any of three ways at once. */
static void test_triangle(void)
{
	const struct clock c[] = { { 0, 0 }, { 4 * MS, 0 }, { -9 * MS, 0 } };
	const int64_t wall[] = { 0, 0, 0 };
	struct tcphs_align_clock clock[3];
	struct tcphs_align *a = tcphs_align_new(3);

	talk(a, c, 0, 1, 2, 5 * MS, MS / 10);
	talk(a, c, 1, 2, 2, 5 * MS, MS / 10);
	talk(a, c, 2, 0, 2, MS / 10, 5 * MS);
	tcphs_align_find(a, wall, clock);
	tap_ok(is_right(clock, c, 1, REAL, 0) && is_right(clock, c, 2, REAL, 0),
	       "align: three hosts, ways of different length");
	tap_ok(clock[2].error < 27 * MS / 10, "align: all ways together say more");
	tcphs_align_free(a);
}

static void test_one_way(void)
{
	const struct clock c[] = { { 0, 0 }, { 0, 0 } };
	const int64_t wall[] = { 0, -10 * SECOND };
	struct tcphs_align_clock clock[2];
	struct tcphs_align *a = tcphs_align_new(2);

	/* The wall clocks would have it arrive 10 s before it was sent. */
	send(a, c, 0, 1, REAL, MS, 1);
	tcphs_align_find(a, wall, clock);
	tap_ok(clock[1].how == TCPHS_ALIGN_WALL &&
	       tcphs_align_time(&clock[1], REAL + MS) == REAL,
	       "align: one way only, not before it was sent");
	tcphs_align_free(a);
}

/* Copies: whichever of them came, nothing is concluded that is not so. */
static void test_copies(void)
{
	const struct clock c[] = { { 0, 0 }, { 50 * MS, 0 } };
	const int64_t wall[] = { 0, 0 };
	struct tcphs_align_clock clock[2];
	struct tcphs_align *a = tcphs_align_new(2);

	feed(a, 0, REAL, true, 0, 1, 1);	/* lost */
	feed(a, 0, REAL + 200 * MS, true, 0, 1, 1);
	feed(a, 1, shown(&c[1], REAL + 201 * MS), false, 0, 1, 1);
	send(a, c, 1, 0, REAL + 202 * MS, MS, 2);
	tcphs_align_find(a, wall, clock);
	tap_ok(is_right(clock, c, 1, REAL, 0), "align: a copy that came is no bound for the first");
	tcphs_align_free(a);
}

/* A clock that leapt contradicts itself: it is said, and nothing breaks. */
static void test_leap(void)
{
	struct clock c[] = { { 0, 0 }, { SECOND, 0 } };
	const int64_t wall[] = { 0, 0 };
	struct tcphs_align_clock clock[2];
	struct tcphs_align *a = tcphs_align_new(2);
	uint32_t i;

	for (i = 0; i < 100; i++) {
		c[1].offset = i > 40 && i < 60 ? 2 * SECOND : SECOND;
		send(a, c, 0, 1, REAL + i * SECOND, MS, 2 * i);
		send(a, c, 1, 0, REAL + i * SECOND + 5 * MS, MS, 2 * i + 1);
	}
	tcphs_align_find(a, wall, clock);
	tap_ok(clock[1].uneven, "align: a clock that leapt is told of");
	tcphs_align_free(a);
}

/* More segments than are remembered. */
static void test_many(void)
{
	const struct clock c[] = { { 0, 0 }, { SECOND, 0 } };
	const int64_t wall[] = { 0, 0 };
	struct tcphs_align_clock clock[2];
	struct tcphs_align *a = tcphs_align_new(2);
	uint32_t i;

	talk(a, c, 0, 1, 100, MS, MS);
	for (i = 0; i < 600000; i++)
		feed(a, 0, REAL + i, true, 0, 2 + i % 200, i);
	talk(a, c, 1, 0, 100, MS, MS);
	tcphs_align_find(a, wall, clock);
	tap_ok(clock[1].how == TCPHS_ALIGN_EXCHANGE && is_right(clock, c, 1, REAL, 0),
	       "align: more segments than are remembered");
	tap_ok(clock[1].segments > 100 && clock[1].segments < 8000,
	       "align: ... then some of them must do");
	tcphs_align_free(a);
}

int main(void)
{
	test_two();
	test_drift();
	test_chain();
	test_triangle();
	test_one_way();
	test_copies();
	test_leap();
	test_many();
	return tap_end();
}
