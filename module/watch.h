/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel functions that no tracepoint covers, watched at their entry. */
#ifndef _TCPHS_WATCH_H
#define _TCPHS_WATCH_H

#include <linux/types.h>

struct seq_file;

u32 tcphs_watch_missing(void);
void tcphs_watch_show(struct seq_file *seq);
void tcphs_watch_attach(void);
void tcphs_watch_detach(void);

#endif /* _TCPHS_WATCH_H */
