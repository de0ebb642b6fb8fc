/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_NAMES_H
#define TCPHS_NAMES_H

#include <stddef.h>

/* Bits of byte 13 of the TCP header (tcphs_segment.flags). */
enum {
	TCPHS_FIN = 0x01,
	TCPHS_SYN = 0x02,
	TCPHS_RST = 0x04,
	TCPHS_PSH = 0x08,
	TCPHS_ACK = 0x10,
	TCPHS_URG = 0x20,
	TCPHS_ECE = 0x40,
	TCPHS_CWR = 0x80,
};

/* Static text for a TCPHS_* state: "SYN_SENT"; NULL when unknown. */
const char *tcphs_names_state(unsigned int state);

/* "tracepoint", "request", "timewait"; NULL when unknown. */
const char *tcphs_names_via(unsigned int via);

/* "transition", "segment", ...; NULL when unknown. */
const char *tcphs_names_kind(unsigned int kind);

/*
 * The i-th flag set in `flags`, in the order SYN, FIN, RST, PSH, ACK, URG, ECE,
 * CWR ("FIN,ACK" and "SYN,ACK" read as people say them); NULL after the last.
 */
const char *tcphs_names_flag(unsigned int flags, unsigned int i);

#define TCPHS_NAMES_FLAGS_SIZE 40

/* "SYN,ACK"; "none" when no bit is set. `text` is returned. */
char *tcphs_names_flags(unsigned int flags, char text[TCPHS_NAMES_FLAGS_SIZE]);

/*
 * Why a kernel sent a RST: enum sk_rst_reason of include/net/rstreason.h, which
 * began in 6.10 and has kept its numbers. NULL: none recorded or none known.
 */
const char *tcphs_names_reason(unsigned int reason);

/* "ETIMEDOUT" for an errno value; NULL when 0. */
const char *tcphs_names_error(unsigned int error);

#endif
