/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel functions that no tracepoint covers, watched by kprobes. */
#ifndef _TCPHS_KPROBE_H
#define _TCPHS_KPROBE_H

#include <linux/types.h>

struct seq_file;

u32 tcphs_kprobe_missing(void);
void tcphs_kprobe_show(struct seq_file *seq);
void tcphs_kprobe_attach(void);
void tcphs_kprobe_detach(void);

#endif /* _TCPHS_KPROBE_H */
