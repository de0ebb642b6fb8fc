/* SPDX-License-Identifier: GPL-2.0 */
/* Netfilter hooks: TCP headers, as they pass the stack, as records. */
#ifndef _TCPHS_SEGMENT_H
#define _TCPHS_SEGMENT_H

#include <linux/types.h>

int tcphs_segment_attach(u8 mode);
void tcphs_segment_detach(void);
u8 tcphs_segment_mode(void);

#endif /* _TCPHS_SEGMENT_H */
