/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel hooks found by name: tracepoints. */
#ifndef _TCPHS_TRACEPOINT_H
#define _TCPHS_TRACEPOINT_H

#include <linux/types.h>

struct seq_file;

u32 tcphs_tracepoint_missing(void);
void tcphs_tracepoint_show(struct seq_file *seq);
int tcphs_tracepoint_attach(bool destroy);
void tcphs_tracepoint_detach(void);

#endif /* _TCPHS_TRACEPOINT_H */
