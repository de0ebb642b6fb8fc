/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/tcphs: the directory, who may open its files, and the small files. */
#ifndef _TCPHS_PROC_H
#define _TCPHS_PROC_H

#include <linux/proc_fs.h>
#include <linux/types.h>

struct tcphs_scope;

int tcphs_proc_access(struct tcphs_scope *scope);
u32 tcphs_proc_missing(void);
int tcphs_proc_init(int gid);
void tcphs_proc_exit(void);

extern const struct proc_ops tcphs_stream_ops;		/* events */
extern const struct proc_ops tcphs_timeline_ops;	/* timeline */

bool tcphs_stream_open_files(void);

struct seq_file;
void tcphs_stats_show(struct seq_file *seq, bool all);

#endif /* _TCPHS_PROC_H */
