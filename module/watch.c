// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel functions that no tracepoint covers, watched at their entry.
 *
 * By ftrace, which calls here with little ado; by a kprobe, at three times the
 * cost, where a function has no place for that. A kprobe finds each of them, since
 * kallsyms_lookup_name() is not for modules.
 *
 * All are extras: where a function is missing or cannot be watched, recording
 * goes on without it, `stats` says so, and readers show "not observed".
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/seq_file.h>
#include <tcphs.h>

#include "accept.h"
#include "compat.h"
#include "minisock.h"
#include "watch.h"

/* Context of a handler: that of the function. */
static int timewait_end(struct kprobe *kp, struct pt_regs *regs)
{
	tcphs_minisock_timewait_end((void *)regs_get_kernel_argument(regs, 0));
	return 0;
}

static int request_end(struct kprobe *kp, struct pt_regs *regs)
{
	tcphs_minisock_request_end((void *)regs_get_kernel_argument(regs, 0));
	return 0;
}

static int accept(struct kprobe *kp, struct pt_regs *regs)
{
	tcphs_accept_record((void *)regs_get_kernel_argument(regs, 0));
	return 0;
}

enum { TIMEWAIT_END, REQUEST_END4, REQUEST_END6, ACCEPT };

static struct watch {
	struct kprobe kp;
	u32 missing;		/* TCPHS_MISSING_* */
	bool traced;		/* by ftrace, else by the kprobe */
	int err;		/* why not; see attached in tracepoint.c */
} watches[] = {
	[TIMEWAIT_END] = {
		.kp.symbol_name = "tcp_twsk_destructor",
		.kp.pre_handler = timewait_end,
		.missing = TCPHS_MISSING_TIMEWAIT_END,
		.err = -ENOENT,
	},
	[REQUEST_END4] = {
		.kp.symbol_name = "tcp_v4_reqsk_destructor",
		.kp.pre_handler = request_end,
		.missing = TCPHS_MISSING_REQUEST_END,
		.err = -ENOENT,
	},
#if IS_ENABLED(CONFIG_IPV6)
	[REQUEST_END6] = {
		.kp.symbol_name = "tcp_v6_reqsk_destructor",
		.kp.pre_handler = request_end,
		.missing = TCPHS_MISSING_REQUEST_END,
		.err = -ENOENT,
	},
#endif
	[ACCEPT] = {
		.kp.symbol_name = "security_sock_graft",
		.kp.pre_handler = accept,
		.missing = TCPHS_MISSING_ACCEPT,
		.err = -ENOENT,
	},
};

/** tcphs_watch_missing() - Return: TCPHS_MISSING_* bits */
u32 tcphs_watch_missing(void)
{
	u32 missing = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(watches); i++)
		if (READ_ONCE(watches[i].err))
			missing |= watches[i].missing;
	return missing;
}

/** tcphs_watch_show() - lines for /proc/tcphs/stats */
void tcphs_watch_show(struct seq_file *seq)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		if (!watches[i].kp.symbol_name)
			continue;
		err = READ_ONCE(watches[i].err);
		seq_printf(seq, "hook_%s ", watches[i].kp.symbol_name);
		if (err)
			seq_printf(seq, "unavailable (error %d)\n", err);
		else
			seq_puts(seq, "attached\n");
	}
}

#ifdef TCPHS_HAVE_FTRACE
/* The first is what most connections pass. */
static void notrace entered(unsigned long ip, unsigned long parent,
			    struct ftrace_ops *ops, tcphs_compat_regs_t *regs)
{
	void *sk = tcphs_compat_first_argument(regs);

	if (ip == (unsigned long)watches[ACCEPT].kp.addr)
		tcphs_accept_record(sk);
	else if (ip == (unsigned long)watches[TIMEWAIT_END].kp.addr)
		tcphs_minisock_timewait_end(sk);
	else
		tcphs_minisock_request_end(sk);
}

/*
 * Of the functions that it is called from it may only bring about the end of another
 * request or TIME_WAIT, by giving back the last reference to it: so recursion is not
 * suppressed. None of them runs where RCU is not watching.
 */
static struct ftrace_ops ops = {
	.func = entered,
	.flags = TCPHS_FTRACE_FLAGS,
};

/*
 * An ops without a filter would be called from every function of the kernel: it is
 * registered only if it has one.
 */
static void trace_attach(void)
{
	bool any = false;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		struct watch *watch = &watches[i];

		/* Is the function's entry, where the kprobe is, ftrace's too? */
		if (watch->err || !kprobe_ftrace(&watch->kp))
			continue;
		watch->traced = !ftrace_set_filter_ip(&ops, (unsigned long)watch->kp.addr,
						      0, 0);
		any |= watch->traced;
	}
	err = any ? register_ftrace_function(&ops) : 0;
	if (!err)
		return;
	/* A kprobe there is ftrace's, too: what keeps the one off does so the other. */
	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		if (!watches[i].traced)
			continue;
		watches[i].traced = false;
		watches[i].err = err;
		unregister_kprobe(&watches[i].kp);
	}
	ftrace_set_filter(&ops, NULL, 0, 1);
	if (err == -EBUSY)
		pr_notice("ftrace is off; after `sysctl kernel.ftrace_enabled=1` load the module again\n");
}

/* Waits for handlers that run. The filter's memory goes with it. */
static void trace_detach(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(watches); i++)
		if (watches[i].traced)
			break;
	if (i == ARRAY_SIZE(watches))
		return;
	unregister_ftrace_function(&ops);
	ftrace_set_filter(&ops, NULL, 0, 1);
}
#else
static void trace_attach(void)
{
}

static void trace_detach(void)
{
}
#endif

/** tcphs_watch_attach() - watch what can be watched; process context */
void tcphs_watch_attach(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		if (!watches[i].kp.symbol_name)
			continue;
		watches[i].kp.flags = KPROBE_FLAG_DISABLED;
		watches[i].err = register_kprobe(&watches[i].kp);
	}
	trace_attach();
	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		struct watch *watch = &watches[i];

		if (watch->err || watch->traced)
			continue;
		watch->err = enable_kprobe(&watch->kp);
		if (watch->err)
			unregister_kprobe(&watch->kp);
	}
	for (i = 0; i < ARRAY_SIZE(watches); i++)
		if (watches[i].kp.symbol_name && watches[i].err)
			pr_notice("cannot watch %s (error %d; -2: this kernel has none): /proc/tcphs/stats says what is not observed\n",
				  watches[i].kp.symbol_name, watches[i].err);
}

/** tcphs_watch_detach() - no handler runs any more when this returns */
void tcphs_watch_detach(void)
{
	struct kprobe *kps[ARRAY_SIZE(watches)];
	unsigned int i, count = 0;

	trace_detach();
	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		if (watches[i].err || !watches[i].kp.symbol_name)
			continue;
		kps[count++] = &watches[i].kp;
		WRITE_ONCE(watches[i].traced, false);
		WRITE_ONCE(watches[i].err, -ENOENT);
	}
	/* Together: one grace period for all. */
	unregister_kprobes(kps, count);
}
