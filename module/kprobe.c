// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel functions that no tracepoint covers, watched by kprobes.
 *
 * All are extras: where a function is missing or cannot be probed, recording
 * goes on without it, `stats` says so, and readers show "not observed".
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/seq_file.h>
#include <tcphs.h>

#include "accept.h"
#include "kprobe.h"
#include "minisock.h"

/* Context of a handler: that of the function, preemption off. */
static int timewait_end(struct kprobe *kp, struct pt_regs *regs)
{
	tcphs_minisock_timewait_end(regs);
	return 0;
}

static int request_end(struct kprobe *kp, struct pt_regs *regs)
{
	tcphs_minisock_request_end(regs);
	return 0;
}

static int accept(struct kprobe *kp, struct pt_regs *regs)
{
	tcphs_accept_record(regs);
	return 0;
}

static struct watch {
	struct kprobe kp;
	u32 missing;		/* TCPHS_MISSING_* */
	int err;		/* of register_kprobe(); see attached in tracepoint.c */
} watches[] = {
	{
		.kp.symbol_name = "tcp_twsk_destructor",
		.kp.pre_handler = timewait_end,
		.missing = TCPHS_MISSING_TIMEWAIT_END,
		.err = -ENOENT,
	},
	{
		.kp.symbol_name = "tcp_v4_reqsk_destructor",
		.kp.pre_handler = request_end,
		.missing = TCPHS_MISSING_REQUEST_END,
		.err = -ENOENT,
	},
#if IS_ENABLED(CONFIG_IPV6)
	{
		.kp.symbol_name = "tcp_v6_reqsk_destructor",
		.kp.pre_handler = request_end,
		.missing = TCPHS_MISSING_REQUEST_END,
		.err = -ENOENT,
	},
#endif
	{
		.kp.symbol_name = "security_sock_graft",
		.kp.pre_handler = accept,
		.missing = TCPHS_MISSING_ACCEPT,
		.err = -ENOENT,
	},
};

/** tcphs_kprobe_missing() - Return: TCPHS_MISSING_* bits */
u32 tcphs_kprobe_missing(void)
{
	u32 missing = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(watches); i++)
		if (READ_ONCE(watches[i].err))
			missing |= watches[i].missing;
	return missing;
}

/** tcphs_kprobe_show() - lines for /proc/tcphs/stats */
void tcphs_kprobe_show(struct seq_file *seq)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		err = READ_ONCE(watches[i].err);
		seq_printf(seq, "hook_%s ", watches[i].kp.symbol_name);
		if (err)
			seq_printf(seq, "unavailable (error %d)\n", err);
		else
			seq_puts(seq, "attached\n");
	}
}

/** tcphs_kprobe_attach() - watch what can be watched; process context */
void tcphs_kprobe_attach(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		watches[i].err = register_kprobe(&watches[i].kp);
		if (watches[i].err)
			pr_notice("cannot watch %s (error %d): see /proc/tcphs/stats\n",
				  watches[i].kp.symbol_name, watches[i].err);
	}
}

/** tcphs_kprobe_detach() - no handler runs any more when this returns */
void tcphs_kprobe_detach(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		if (watches[i].err)
			continue;
		unregister_kprobe(&watches[i].kp);
		WRITE_ONCE(watches[i].err, -ENOENT);
	}
}
