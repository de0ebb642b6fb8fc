/* SPDX-License-Identifier: GPL-2.0 */
/* The in-kernel filter: what it keeps out costs no ring space. */
#ifndef _TCPHS_FILTER_H
#define _TCPHS_FILTER_H

#include <linux/bitmap.h>
#include <linux/jump_label.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "compat.h"
#include "ring.h"

#define TCPHS_FILTER_NETNS_MAX	64
#define TCPHS_FILTER_TEXT_MAX	4096

struct seq_file;

extern struct static_key_false tcphs_filter_set;

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

u64 TCPHS_RARE tcphs_filter_judge(u64 netns, u64 sport, u64 dport);

/**
 * tcphs_filter_drops() - does the filter keep this record out?
 * @netns: inode of the network namespace
 * @sport: local port, host byte order; 0 if not known
 * @dport: remote port
 *
 * Context: any in which records are written. Counts what it keeps out.
 */
static __always_inline bool tcphs_filter_drops(u32 netns, u16 sport, u16 dport)
{
	return tcphs_compat_rare(tcphs_filter_judge, netns, sport, dport);
}

#endif /* _TCPHS_FILTER_H */
