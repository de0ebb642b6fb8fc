// SPDX-License-Identifier: GPL-2.0
/*
 * tcphs: records TCP state transitions with their SEQ/ACK numbers.
 *
 * This file has the parameters and the order in which things begin and end;
 * each step is in the file of its name.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <tcphs.h>

#include "clock.h"
#include "filter.h"
#include "identity.h"
#include "minisock.h"
#include "proc.h"
#include "ring.h"
#include "scope.h"
#include "segment.h"
#include "tracepoint.h"
#include "watch.h"

#define PORTS_MAX 64

static unsigned int ring_kb = 1024;
module_param(ring_kb, uint, 0444);
MODULE_PARM_DESC(ring_kb, "ring size per CPU in KiB, 8 records each; rounded up to a power of two (default 1024)");

static const char * const segments_names[] = {
	[TCPHS_SEGMENTS_NONE] = "none",
	[TCPHS_SEGMENTS_HANDSHAKE] = "handshake",
	[TCPHS_SEGMENTS_ALL] = "all",
};

static u8 segments = TCPHS_SEGMENTS_HANDSHAKE;

static int segments_set(const char *value, const struct kernel_param *kp)
{
	int found = sysfs_match_string(segments_names, value);

	if (found < 0) {
		pr_err("segments=%s: must be none, handshake or all\n", value);
		return -EINVAL;
	}
	segments = found;
	return 0;
}

static int segments_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", segments_names[segments]);
}

static const struct kernel_param_ops segments_ops = {
	.set = segments_set,
	.get = segments_get,
};

module_param_cb(segments, &segments_ops, NULL, 0444);
__MODULE_PARM_TYPE(segments, "charp");
MODULE_PARM_DESC(segments, "segments to record beside the transitions: none, handshake (default) or all");

static unsigned short ports[PORTS_MAX];
static unsigned int ports_count;
module_param_array(ports, ushort, &ports_count, 0444);
MODULE_PARM_DESC(ports, "record only connections with one of these ports (default all); see /proc/tcphs/filter");

static int gid = -1;
module_param(gid, int, 0444);
MODULE_PARM_DESC(gid, "members of this group may read /proc/tcphs without root (default none)");

/* What has failed, and mostly for want of memory. */
static void __init explain(const char *what, int err)
{
	if (err == -ENOMEM)
		pr_err("no memory for %s\n", what);
	else
		pr_err("the kernel refused %s (error %d)\n", what, err);
}

static int __init tcphs_init(void)
{
	int err;

	if (gid < -1) {
		pr_err("gid=%d: must be a group's number, or -1 for none\n",
		       gid);
		return -EINVAL;
	}
	tcphs_clock_init();
	tcphs_identity_init();
	tcphs_minisock_init();
	err = tcphs_ring_init(ring_kb);
	if (err)
		return err;
	err = tcphs_scope_attach();
	if (err) {
		explain("the network namespaces", err);
		goto err_ring;
	}
	err = tcphs_filter_init(ports, ports_count);
	if (err == -EINVAL)
		pr_err("ports: each must be from 1 to 65535\n");
	else if (err)
		explain("the filter", err);
	if (err)
		goto err_scope;
	err = tcphs_segment_attach(segments);
	if (err) {
		explain("the hooks of netfilter; segments=none does without", err);
		goto err_filter;
	}
	/* Without segments it is transitions only: the cheapest mode. */
	if (segments != TCPHS_SEGMENTS_NONE)
		tcphs_watch_attach();
	err = tcphs_tracepoint_attach(segments != TCPHS_SEGMENTS_NONE);
	if (err)
		goto err_hooks;
	err = tcphs_proc_init(gid);
	if (err) {
		explain("/proc/tcphs", err);
		goto err_tracepoint;
	}
	return 0;

err_tracepoint:
	tcphs_tracepoint_detach();
err_hooks:
	tcphs_watch_detach();
	tcphs_minisock_finish();
	tcphs_segment_detach();
err_filter:
	tcphs_filter_exit();
err_scope:
	tcphs_scope_detach();
err_ring:
	tcphs_ring_close();
	tcphs_ring_exit();
	return err;
}

/*
 * First nobody writes any more, then readers get what is left and end of file,
 * then the files go, and the memory last.
 */
static void __exit tcphs_exit(void)
{
	tcphs_tracepoint_detach();
	tcphs_watch_detach();
	tcphs_minisock_finish();
	tcphs_segment_detach();
	tcphs_ring_close();
	tcphs_proc_exit();
	tcphs_filter_exit();
	tcphs_scope_detach();
	tcphs_ring_exit();
}

module_init(tcphs_init);
module_exit(tcphs_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("TCP state transitions with SEQ/ACK numbers, in /proc/tcphs");
MODULE_VERSION("0.1.0");
