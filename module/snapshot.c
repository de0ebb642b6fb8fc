// SPDX-License-Identifier: GPL-2.0
/*
 * All that the rings hold at one moment, put together by connection, for the
 * text of /proc/tcphs/timeline. Process context throughout, no locks.
 *
 * A record that does not know one of its ends yet (the first of each socket)
 * gets it from the next one of the same socket. Records with the same two ends
 * make a block, whichever end saw them, and a new opening begins a new one.
 */
#include <linux/in.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <net/ipv6.h>

#include "compat.h"
#include "ring.h"
#include "scope.h"
#include "snapshot.h"

#define ENDS_MISSING (TCPHS_NO_LOCAL_PORT | TCPHS_NO_REMOTE)

static void *array_alloc(size_t count, size_t size)
{
	/* Others are not to be killed for it. */
	return __vmalloc(array_size(max_t(size_t, count, 1), size),
			 GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
}

/* Room for so many records, with those that are there. Return: 0 or -ENOMEM. */
static int grow(struct tcphs_snapshot *snapshot, u64 room)
{
	struct tcphs_record *records;
	struct tcphs_line *lines;

	if (room > U32_MAX)
		return -ENOMEM;
	records = array_alloc(room, sizeof(*records));
	lines = array_alloc(room, sizeof(*lines));
	if (!records || !lines) {
		vfree(records);
		vfree(lines);
		return -ENOMEM;
	}
	if (snapshot->count) {
		memcpy(records, snapshot->records,
		       snapshot->count * sizeof(*records));
		memcpy(lines, snapshot->lines, snapshot->count * sizeof(*lines));
	}
	vfree(snapshot->records);
	vfree(snapshot->lines);
	snapshot->records = records;
	snapshot->lines = lines;
	return 0;
}

static bool is_birth(const struct tcphs_record *r)
{
	return r->kind == TCPHS_TRANSITION &&
	       r->transition.via == TCPHS_VIA_TRACEPOINT &&
	       r->transition.has & TCPHS_HAS_BIRTH;
}

static void ends_copy(struct tcphs_record *to, const struct tcphs_record *from)
{
	memcpy(to->saddr, from->saddr, sizeof(to->saddr));
	memcpy(to->daddr, from->daddr, sizeof(to->daddr));
	to->sport = from->sport;
	to->dport = from->dport;
	to->flags = from->flags;
}

/* sort_r() on a voluntarily preempted kernel may take long: let others run. */
static int resched(int result)
{
	cond_resched();
	return result;
}

static int by_socket(const void *a, const void *b, const void *priv)
{
	const struct tcphs_record *records = priv;
	const struct tcphs_line *x = a, *y = b;
	u64 sx = records[x->record].sock, sy = records[y->record].sock;

	if (sx != sy)
		return resched(sx < sy ? -1 : 1);
	return resched(x->record < y->record ? -1 : 1);
}

/* The lower of a record's ends first: the same for both points of view. */
static int end_compare(const u8 *addr_a, u16 port_a, const u8 *addr_b,
		       u16 port_b)
{
	int result = memcmp(addr_a, addr_b, 16);

	return result ?: (int)port_a - (int)port_b;
}

struct ends {
	const u8 *addr[2];
	u16 port[2];
};

static struct ends ends_of(const struct tcphs_record *r)
{
	int low = end_compare(r->saddr, r->sport, r->daddr, r->dport) > 0;
	struct ends ends;

	ends.addr[low] = r->saddr;
	ends.port[low] = r->sport;
	ends.addr[!low] = r->daddr;
	ends.port[!low] = r->dport;
	return ends;
}

/* Such an address means another socket in each netns. */
static bool is_loopback(const u8 *addr, bool inet6)
{
	struct in6_addr address;

	if (!inet6)
		return addr[0] == IN_LOOPBACKNET;
	memcpy(&address, addr, sizeof(address));
	return ipv6_addr_loopback(&address);
}

/* Are both ends in one netns, by their addresses? */
static bool is_within_netns(const struct ends *ends, bool inet6)
{
	return is_loopback(ends->addr[0], inet6) ||
	       is_loopback(ends->addr[1], inet6) ||
	       !memcmp(ends->addr[0], ends->addr[1], 16);
}

static int ends_compare(const struct tcphs_record *a,
			const struct tcphs_record *b)
{
	struct ends x = ends_of(a), y = ends_of(b);
	int result;

	if ((a->flags ^ b->flags) & TCPHS_INET6)
		return a->flags & TCPHS_INET6 ? 1 : -1;
	result = end_compare(x.addr[0], x.port[0], y.addr[0], y.port[0]);
	result = result ?: end_compare(x.addr[1], x.port[1], y.addr[1],
				       y.port[1]);
	if (result || a->netns == b->netns ||
	    !is_within_netns(&x, a->flags & TCPHS_INET6))
		return result;
	return a->netns < b->netns ? -1 : 1;
}

static int by_ends(const void *a, const void *b, const void *priv)
{
	const struct tcphs_record *records = priv;
	const struct tcphs_line *x = a, *y = b;
	int result;

	result = ends_compare(&records[x->record], &records[y->record]);
	return resched(result ?: x->record < y->record ? -1 : 1);
}

static int by_block(const void *a, const void *b, const void *priv)
{
	const struct tcphs_line *x = a, *y = b;

	if (x->first != y->first)
		return resched(x->first < y->first ? -1 : 1);
	return resched(x->record < y->record ? -1 : 1);
}

/*
 * Completes r from `known`, a record of the same socket that has both ends, or
 * NULL. Return: the record to complete the next one from.
 */
static struct tcphs_record *ends_learn(struct tcphs_record *r,
				       struct tcphs_record *known)
{
	if (!r->sock || r->kind == TCPHS_LOST)
		return known;
	if (!(r->flags & ENDS_MISSING))
		return r;
	if (known)
		ends_copy(r, known);
	return known;
}

/*
 * Completes the ends of records from others of the same socket: one pass with
 * what came before, for ends that were cleared at the close, and one backwards
 * with what came after, for ends that were not chosen at the birth.
 */
static void ends_complete(struct tcphs_snapshot *snapshot)
{
	struct tcphs_record *r, *known = NULL;
	u32 i;

	for (i = 0; i < snapshot->count; i++) {
		r = &snapshot->records[snapshot->lines[i].record];
		if (known && (known->sock != r->sock || is_birth(r)))
			known = NULL;
		known = ends_learn(r, known);
		cond_resched();
	}
	known = NULL;
	for (i = snapshot->count; i--;) {
		r = &snapshot->records[snapshot->lines[i].record];
		if (known && (known->sock != r->sock ||
			      r->kind == TCPHS_DESTROY))
			known = NULL;
		known = ends_learn(r, known);
		if (r->sock && is_birth(r))
			known = NULL;
		cond_resched();
	}
}

static bool opens(const struct tcphs_record *r)
{
	if (r->kind == TCPHS_TRANSITION)
		return is_birth(r) && r->transition.new == TCPHS_SYN_SENT;
	/* SYN without ACK, not sent again. */
	return r->kind == TCPHS_SEGMENT && (r->segment.flags & 0x12) == 0x02 &&
	       !(r->segment.mark & TCPHS_SEG_RETRANSMIT);
}

static bool closes(const struct tcphs_record *r)
{
	return r->kind == TCPHS_TRANSITION &&
	       (r->transition.new == TCPHS_CLOSE ||
		r->transition.new == TCPHS_TIME_WAIT);
}

/* The lines are sorted by ends: cuts them into blocks. */
static void blocks_cut(struct tcphs_snapshot *snapshot)
{
	const struct tcphs_record *r, *before = NULL;
	bool closed = false;
	u32 first = 0, i;

	for (i = 0; i < snapshot->count; i++) {
		r = &snapshot->records[snapshot->lines[i].record];
		if (!before || ends_compare(r, before) ||
		    (r->kind == TCPHS_LOST) != (before->kind == TCPHS_LOST) ||
		    (closed && opens(r))) {
			first = snapshot->lines[i].record;
			closed = false;
		}
		closed |= closes(r);
		snapshot->lines[i].first = first;
		before = r;
		cond_resched();
	}
}

/* Of one netns, of which most are not: room is made as they are found. */
#define SCOPED_ROOM	1024

/* Return: 0, -ENOMEM, or -EINTR: who waits for it is being killed. */
static int records_collect(struct tcphs_snapshot *snapshot,
			   const struct tcphs_scope *scope)
{
	u64 most = tcphs_ring_held() + nr_cpu_ids, room = most;
	struct tcphs_cursor *cursor;
	struct tcphs_record *r;
	int err;

	if (scope->netns)
		room = min_t(u64, room, SCOPED_ROOM);
	err = grow(snapshot, room);
	if (err)
		return err;
	cursor = tcphs_ring_open();
	if (!cursor)
		return -ENOMEM;
	tcphs_ring_settle(cursor, U64_MAX);
	for (;;) {
		if (snapshot->count == room) {
			if (room == most)
				break;
			room = min(2 * room, most);
			err = grow(snapshot, room);
			if (err)
				break;
		}
		r = &snapshot->records[snapshot->count];
		if (!tcphs_ring_next(cursor, r))
			break;
		cond_resched();
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		if (!tcphs_scope_shows(scope, r))
			continue;
		if (scope->netns)
			tcphs_ring_limit(cursor, r);
		snapshot->lines[snapshot->count].record = snapshot->count;
		snapshot->count++;
	}
	kvfree(cursor);
	return err;
}

/*
 * Sorts what was collected. Each sort takes a second for a million records.
 * Return: 0; -EINTR: who waits for it is being killed.
 */
static int lines_sort(struct tcphs_snapshot *snapshot, cmp_r_func_t compare)
{
	sort_r(snapshot->lines, snapshot->count, sizeof(*snapshot->lines), compare,
	       NULL, snapshot->records);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/**
 * tcphs_snapshot_take() - copy what the rings hold
 * @scope: what may be seen of it
 *
 * Context: process, may sleep. Needs 136 bytes a record that may be seen, which
 * the caller's cgroup is charged with.
 * Return: to be freed with tcphs_snapshot_free(); NULL without memory, or when
 * the caller is being killed.
 */
struct tcphs_snapshot *tcphs_snapshot_take(const struct tcphs_scope *scope)
{
	struct tcphs_snapshot *snapshot;

	snapshot = kzalloc(sizeof(*snapshot), GFP_KERNEL_ACCOUNT);
	if (!snapshot)
		return NULL;
	if (records_collect(snapshot, scope) || lines_sort(snapshot, by_socket))
		goto err_free;
	ends_complete(snapshot);
	if (lines_sort(snapshot, by_ends))
		goto err_free;
	blocks_cut(snapshot);
	if (lines_sort(snapshot, by_block))
		goto err_free;
	return snapshot;

err_free:
	tcphs_snapshot_free(snapshot);
	return NULL;
}

void tcphs_snapshot_free(struct tcphs_snapshot *snapshot)
{
	vfree(snapshot->records);
	vfree(snapshot->lines);
	kfree(snapshot);
}
