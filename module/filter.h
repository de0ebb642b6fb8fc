/* SPDX-License-Identifier: GPL-2.0 */
/* The in-kernel filter: what it keeps out costs no ring space. */
#ifndef _TCPHS_FILTER_H
#define _TCPHS_FILTER_H

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "compat.h"
#include "ring.h"

#define TCPHS_FILTER_NETNS_MAX	64
#define TCPHS_FILTER_TEXT_MAX	4096

struct seq_file;

struct tcphs_filter {
	struct rcu_head rcu;
	bool by_port;			/* else all bits of ports are set */
	unsigned int netns_count;	/* 0: all */
	u32 netns[TCPHS_FILTER_NETNS_MAX];
	DECLARE_BITMAP(ports, 65536);
};

extern struct static_key_false tcphs_filter_set;
extern struct tcphs_filter __rcu *tcphs_filter_current;

bool tcphs_filter_match(u32 netns, u16 sport, u16 dport);
bool tcphs_filter_active(void);
int tcphs_filter_write(char *text);
void tcphs_filter_show(struct seq_file *seq, u32 netns);
int tcphs_filter_init(const unsigned short *ports, unsigned int count);
void tcphs_filter_exit(void);

/** tcphs_filter_on() - is there any? The rest is only asked then. */
static __always_inline bool tcphs_filter_on(void)
{
	return static_branch_unlikely(&tcphs_filter_set);
}

u64 TCPHS_RARE tcphs_filter_has_netns(u64 filter, u64 netns, u64 unused);

/**
 * tcphs_filter_drops() - does the filter keep this record out?
 * @netns: inode of the network namespace
 * @sport: local port, host byte order; 0 if not known
 * @dport: remote port
 *
 * Context: RCU, which may be that preemption is off. Counts what it keeps out.
 */
static __always_inline bool tcphs_filter_drops(u32 netns, u16 sport, u16 dport)
{
	const struct tcphs_filter *filter;

	filter = rcu_dereference_check(tcphs_filter_current, rcu_read_lock_any_held());
	if (!filter)
		return false;
	if ((test_bit(sport, filter->ports) || test_bit(dport, filter->ports)) &&
	    (!filter->netns_count ||
	     tcphs_compat_rare(tcphs_filter_has_netns, filter, netns, 0)))
		return false;
	this_cpu_inc(tcphs_rings.filtered);
	return true;
}

/** tcphs_filter_drops_any() - the same, in any context */
static __always_inline bool tcphs_filter_drops_any(u32 netns, u16 sport, u16 dport)
{
	bool drops;

	rcu_read_lock();
	drops = tcphs_filter_drops(netns, sport, dport);
	rcu_read_unlock();
	return drops;
}

#endif /* _TCPHS_FILTER_H */
