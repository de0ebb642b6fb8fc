// SPDX-License-Identifier: GPL-2.0
/*
 * Attaches the probes to the kernel's tracepoints.
 *
 * None of them but tcp_send_reset is exported, so they are looked for by name.
 * A probe whose arguments differ from its tracepoint's would be memory
 * corruption: the check_trace_callback_type_*() calls make it a compile error.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/sock.h>
#include <trace/events/tcp.h>
#include <tcphs.h>

#include "compat.h"
#include "tracepoint.h"
#include "transition.h"

/* A test build names one that no kernel has: see tests/Makefile. */
#ifndef TCPHS_STATE_TRACEPOINT
#define TCPHS_STATE_TRACEPOINT "inet_sock_set_state"
#endif

static struct hook {
	const char *name;
	void *probe;
	u32 missing;		/* TCPHS_MISSING_*; 0: cannot do without */
	struct tracepoint *tp;
	bool attached;		/* readers may look while the module goes */
} hooks[] = {
	{ TCPHS_STATE_TRACEPOINT, tcphs_transition_state, 0 },
	{ "tcp_send_reset", tcphs_compat_send_reset,
	  TCPHS_MISSING_SEND_RESET },
	{ "tcp_receive_reset", tcphs_transition_receive_reset,
	  TCPHS_MISSING_RECEIVE_RESET },
	{ "tcp_destroy_sock", tcphs_transition_destroy,
	  TCPHS_MISSING_DESTROY },
};

static void find(struct tracepoint *tp, void *priv)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!strcmp(tp->name, hooks[i].name))
			hooks[i].tp = tp;
}

/** tcphs_tracepoint_missing() - Return: TCPHS_MISSING_* bits */
u32 tcphs_tracepoint_missing(void)
{
	u32 missing = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!READ_ONCE(hooks[i].attached))
			missing |= hooks[i].missing;
	return missing;
}

/** tcphs_tracepoint_show() - lines for /proc/tcphs/stats */
void tcphs_tracepoint_show(struct seq_file *seq)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		seq_printf(seq, "hook_%s %s\n", hooks[i].name,
			   READ_ONCE(hooks[i].attached) ? "attached" :
			   hooks[i].tp ? "off" : "absent");
}

static int attach(struct hook *hook)
{
	int err;

	if (!hook->tp) {
		if (hook->missing) {
			pr_notice("this kernel has no tracepoint %s\n",
				  hook->name);
			return 0;
		}
		pr_err("this kernel has no tracepoint %s: it needs CONFIG_TRACEPOINTS and Linux 5.10 or later\n",
		       hook->name);
		return -ENOENT;
	}
	err = tracepoint_probe_register(hook->tp, hook->probe, NULL);
	if (err) {
		pr_err("the kernel refused the tracepoint %s (error %d)\n",
		       hook->name, err);
		return err;
	}
	hook->attached = true;
	return 0;
}

/**
 * tcphs_tracepoint_attach() - begin to record transitions
 * @destroy: also record the end of each socket's memory
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT without the state tracepoint; or why it cannot be
 * attached. Nothing stays attached then.
 */
int tcphs_tracepoint_attach(bool destroy)
{
	unsigned int i;
	int err;

	check_trace_callback_type_inet_sock_set_state(tcphs_transition_state);
	check_trace_callback_type_tcp_send_reset(tcphs_compat_send_reset);
	check_trace_callback_type_tcp_receive_reset(tcphs_transition_receive_reset);
	check_trace_callback_type_tcp_destroy_sock(tcphs_transition_destroy);

	for_each_kernel_tracepoint(find, NULL);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (hooks[i].probe == tcphs_transition_destroy && !destroy)
			continue;
		err = attach(&hooks[i]);
		if (err) {
			tcphs_tracepoint_detach();
			return err;
		}
	}
	return 0;
}

/**
 * tcphs_tracepoint_detach() - no probe runs any more when this returns
 *
 * Context: process, sleeps. From 7.x on tracepoints run under SRCU, and
 * tracepoint_synchronize_unregister() does not wait for RCU.
 */
void tcphs_tracepoint_detach(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (!hooks[i].attached)
			continue;
		tracepoint_probe_unregister(hooks[i].tp, hooks[i].probe, NULL);
		WRITE_ONCE(hooks[i].attached, false);
	}
	tracepoint_synchronize_unregister();
	synchronize_rcu();
}
