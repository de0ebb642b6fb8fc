/* SPDX-License-Identifier: GPL-2.0 */
/* All that the rings hold at one moment, put together by connection. */
#ifndef _TCPHS_SNAPSHOT_H
#define _TCPHS_SNAPSHOT_H

#include <tcphs.h>

/* A record's place in the text. */
struct tcphs_line {
	u32 record;		/* index in records */
	u32 first;		/* index of its block's first record */
};

struct tcphs_snapshot {
	u32 count;
	struct tcphs_record *records;	/* in time order */
	struct tcphs_line *lines;	/* the same, block by block */
};

struct tcphs_scope;

struct tcphs_snapshot *tcphs_snapshot_take(const struct tcphs_scope *scope);
void tcphs_snapshot_free(struct tcphs_snapshot *snapshot);

#endif /* _TCPHS_SNAPSHOT_H */
