/* SPDX-License-Identifier: GPL-2.0 */
/* Which records a reader may see. */
#ifndef _TCPHS_SCOPE_H
#define _TCPHS_SCOPE_H

#include <linux/types.h>
#include <tcphs.h>

struct net;

struct tcphs_scope {
	u32 netns;		/* 0: every one; else this one alone */
	u64 since;		/* ... from when on it was this one (ns) */
	struct net *net;	/* ... which the caller is in; else NULL */
};

/*
 * TCPHS_LOST is for everybody: it tells of a CPU. It stands where the loss begins, maybe
 * long before there was the reader's namespace, whose records are among the lost ones
 * unless it ends before, too.
 */
static inline bool tcphs_scope_shows(const struct tcphs_scope *scope,
				     const struct tcphs_record *record)
{
	if (!scope->netns)
		return true;
	if (record->kind == TCPHS_LOST)
		return record->lost.until >= scope->since;
	return record->ts >= scope->since && record->netns == scope->netns;
}

void tcphs_scope_limit(struct tcphs_scope *scope, struct net *net);
void tcphs_scope_hold(const struct tcphs_scope *scope);
void tcphs_scope_release(const struct tcphs_scope *scope);

int tcphs_scope_attach(void);
void tcphs_scope_detach(void);

#endif /* _TCPHS_SCOPE_H */
