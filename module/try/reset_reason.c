// SPDX-License-Identifier: GPL-2.0
/* The tracepoint tcp_send_reset passes a reason (6.10). */
#include <net/rstreason.h>
#include <trace/events/tcp.h>

static void probe(void *data, const struct sock *sk, const struct sk_buff *skb,
		  const enum sk_rst_reason reason)
{
}

void try(void)
{
	check_trace_callback_type_tcp_send_reset(probe);
}
