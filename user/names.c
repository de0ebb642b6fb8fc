// SPDX-License-Identifier: GPL-2.0
/* Words for numbers. Unknown numbers have no word: NULL. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tcphs.h>

#include "names.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *pick(const char *const *names, size_t count, unsigned int i)
{
	return i < count ? names[i] : NULL;
}

const char *tcphs_names_state(unsigned int state)
{
	static const char *const names[] = {
		[TCPHS_ESTABLISHED] = "ESTABLISHED",
		[TCPHS_SYN_SENT] = "SYN_SENT",
		[TCPHS_SYN_RECV] = "SYN_RECV",
		[TCPHS_FIN_WAIT1] = "FIN_WAIT1",
		[TCPHS_FIN_WAIT2] = "FIN_WAIT2",
		[TCPHS_TIME_WAIT] = "TIME_WAIT",
		[TCPHS_CLOSE] = "CLOSE",
		[TCPHS_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCPHS_LAST_ACK] = "LAST_ACK",
		[TCPHS_LISTEN] = "LISTEN",
		[TCPHS_CLOSING] = "CLOSING",
	};

	return pick(names, COUNT(names), state);
}

const char *tcphs_names_via(unsigned int via)
{
	static const char *const names[] = {
		[TCPHS_VIA_TRACEPOINT] = "tracepoint",
		[TCPHS_VIA_REQUEST] = "request",
		[TCPHS_VIA_TIMEWAIT] = "timewait",
	};

	return pick(names, COUNT(names), via);
}

const char *tcphs_names_kind(unsigned int kind)
{
	static const char *const names[] = {
		[TCPHS_TRANSITION] = "transition",
		[TCPHS_SEGMENT] = "segment",
		[TCPHS_RESET] = "reset",
		[TCPHS_DESTROY] = "destroy",
		[TCPHS_LOST] = "lost",
		[TCPHS_ACCEPT] = "accept",
	};

	return pick(names, COUNT(names), kind);
}

static const struct {
	unsigned int bit;
	char name[4];
} flag_order[] = {
	{ TCPHS_SYN, "SYN" }, { TCPHS_FIN, "FIN" }, { TCPHS_RST, "RST" },
	{ TCPHS_PSH, "PSH" }, { TCPHS_ACK, "ACK" }, { TCPHS_URG, "URG" },
	{ TCPHS_ECE, "ECE" }, { TCPHS_CWR, "CWR" },
};

const char *tcphs_names_flag(unsigned int flags, unsigned int i)
{
	size_t k;

	for (k = 0; k < COUNT(flag_order); k++)
		if (flags & flag_order[k].bit && !i--)
			return flag_order[k].name;
	return NULL;
}

char *tcphs_names_flags(unsigned int flags, char text[TCPHS_NAMES_FLAGS_SIZE])
{
	char *to = text;
	size_t k;

	for (k = 0; k < COUNT(flag_order); k++) {
		if (!(flags & flag_order[k].bit))
			continue;
		if (to != text)
			*to++ = ',';
		memcpy(to, flag_order[k].name, 3);
		to += 3;
	}
	strcpy(to, to == text ? "none" : "");
	return text;
}

const char *tcphs_names_reason(unsigned int reason)
{
	static const char *const names[] = {
		[1] = "no_socket",
		[2] = "tcp_invalid_ack_sequence",
		[3] = "tcp_rfc7323_paws",
		[4] = "tcp_too_old_ack",
		[5] = "tcp_ack_unsent_data",
		[6] = "tcp_flags",
		[7] = "tcp_old_ack",
		[8] = "tcp_abort_on_data",
		[9] = "tcp_timewait_socket",
		[10] = "invalid_syn",
		[11] = "tcp_abort_on_close",
		[12] = "tcp_abort_on_linger",
		[13] = "tcp_abort_on_memory",
		[14] = "tcp_state",
		[15] = "tcp_timeout",
		[16] = "mptcp_rst_eunspec",
		[17] = "mptcp_rst_emptcp",
		[18] = "mptcp_rst_eresource",
		[19] = "mptcp_rst_eprohibit",
		[20] = "mptcp_rst_ewq2big",
		[21] = "mptcp_rst_ebadperf",
		[22] = "mptcp_rst_emiddlebox",
		[23] = "error",
	};

	return pick(names, COUNT(names), reason);
}

/* Before 2.32 glibc has no names: those that a TCP socket can have. */
#if !__GLIBC_PREREQ(2, 32)
static const char *strerrorname_np(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ EPERM, "EPERM" },
		{ EINTR, "EINTR" },
		{ EAGAIN, "EAGAIN" },
		{ ENOMEM, "ENOMEM" },
		{ EACCES, "EACCES" },
		{ EINVAL, "EINVAL" },
		{ EPIPE, "EPIPE" },
		{ EPROTO, "EPROTO" },
		{ EMSGSIZE, "EMSGSIZE" },
		{ ENOPROTOOPT, "ENOPROTOOPT" },
		{ EPROTONOSUPPORT, "EPROTONOSUPPORT" },
		{ EOPNOTSUPP, "EOPNOTSUPP" },
		{ EADDRINUSE, "EADDRINUSE" },
		{ EADDRNOTAVAIL, "EADDRNOTAVAIL" },
		{ ENETDOWN, "ENETDOWN" },
		{ ENETUNREACH, "ENETUNREACH" },
		{ ECONNABORTED, "ECONNABORTED" },
		{ ECONNRESET, "ECONNRESET" },
		{ ENOBUFS, "ENOBUFS" },
		{ ENOTCONN, "ENOTCONN" },
		{ ETIMEDOUT, "ETIMEDOUT" },
		{ ECONNREFUSED, "ECONNREFUSED" },
		{ EHOSTDOWN, "EHOSTDOWN" },
		{ EHOSTUNREACH, "EHOSTUNREACH" },
		{ EALREADY, "EALREADY" },
		{ EINPROGRESS, "EINPROGRESS" },
		{ ENONET, "ENONET" },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].error == error)
			return names[i].name;
	return NULL;
}
#endif

const char *tcphs_names_error(unsigned int error)
{
	return error ? strerrorname_np(error) : NULL;
}
