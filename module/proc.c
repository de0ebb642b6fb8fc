// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/tcphs: the directory, who may open its files, and the small files.
 *
 * SEQ and ACK numbers are what an attacker needs to inject into a connection
 * (RFC 5961), so the check is made at open, and file modes are only its hint:
 * they must let in root of a user namespace, who is nobody to the files' owner.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "filter.h"
#include "proc.h"
#include "ring.h"
#include "scope.h"
#include "segment.h"
#include "tracepoint.h"
#include "watch.h"

/* How long an unloading module gives readers to see the end of the file. */
#define EOF_MS 200

static struct proc_dir_entry *dir;
static kgid_t reader_gid;

/**
 * tcphs_proc_access() - may the caller open a file of /proc/tcphs?
 * @scope: set to what it may see there; for longer than this call, it is to be
 * held: see tcphs_scope_hold()
 *
 * Return: 0 or -EACCES.
 */
int tcphs_proc_access(struct tcphs_scope *scope)
{
	struct net *net = current->nsproxy->net_ns;

	scope->netns = 0;
	scope->since = 0;
	scope->net = NULL;
	if (capable(CAP_NET_ADMIN))
		return 0;
	if (gid_valid(reader_gid) && current_user_ns() == &init_user_ns &&
	    in_group_p(reader_gid)) {
		/*
		 * Root of a container without a user namespace may join any
		 * group, by setgid(); it has its own netns.
		 */
		if (net != &init_net)
			tcphs_scope_limit(scope, net);
		return 0;
	}
	if (net->user_ns != &init_user_ns &&
	    ns_capable(net->user_ns, CAP_NET_ADMIN)) {
		tcphs_scope_limit(scope, net);
		return 0;
	}
	return -EACCES;
}

/** tcphs_proc_missing() - Return: TCPHS_MISSING_*, what is not observed */
u32 tcphs_proc_missing(void)
{
	u32 missing = tcphs_tracepoint_missing() | tcphs_watch_missing();

	if (!TCPHS_HAVE_RESET_REASON)
		missing |= TCPHS_MISSING_RESET_REASON;
	return missing;
}

static int stats_show(struct seq_file *seq, void *v)
{
	tcphs_stats_show(seq, !seq->private);
	return 0;
}

static int stats_open(struct inode *inode, struct file *file)
{
	struct tcphs_scope scope;
	int err = tcphs_proc_access(&scope);

	return err ?: single_open(file, stats_show,
				  (void *)(uintptr_t)scope.netns);
}

static const struct proc_ops stats_ops = {
	.proc_open = stats_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

/*
 * One open file. A shell's printf may write each line by itself: the lines of
 * one open file make one filter.
 */
struct filter_file {
	u32 netns;			/* 0, or the only one to be shown */
	struct mutex lock;		/* the rest: what was written so far */
	size_t length;
	char text[TCPHS_FILTER_TEXT_MAX + 1];
};

static int filter_show(struct seq_file *seq, void *v)
{
	const struct filter_file *filter_file = seq->private;

	tcphs_filter_show(seq, filter_file->netns);
	return 0;
}

/* The filter is everybody's: to change it takes the whole machine's right. */
static int filter_open(struct inode *inode, struct file *file)
{
	struct filter_file *filter_file;
	struct tcphs_scope scope;
	int err = tcphs_proc_access(&scope);

	if (err)
		return err;
	if (file->f_mode & FMODE_WRITE && !capable(CAP_NET_ADMIN))
		return -EACCES;
	filter_file = kzalloc(sizeof(*filter_file), GFP_KERNEL);
	if (!filter_file)
		return -ENOMEM;
	filter_file->netns = scope.netns;
	mutex_init(&filter_file->lock);
	err = single_open(file, filter_show, filter_file);
	if (err)
		kfree(filter_file);
	return err;
}

static int filter_release(struct inode *inode, struct file *file)
{
	kfree(((struct seq_file *)file->private_data)->private);
	return single_release(inode, file);
}

static int filter_apply(const char *text)
{
	char *copy = kstrdup(text, GFP_KERNEL);
	int err;

	if (!copy)
		return -ENOMEM;
	err = tcphs_filter_write(copy);
	kfree(copy);
	return err;
}

/*
 * With the lock held. What does not go with the lines before it (`off` does not)
 * is tried alone. Return: 0, or an error and nothing has changed.
 */
static int filter_append(struct filter_file *written,
			 const char __user *buffer, size_t count)
{
	char *end = written->text + written->length;
	int err;

	if (count > TCPHS_FILTER_TEXT_MAX - written->length)
		return -E2BIG;
	if (copy_from_user(end, buffer, count))
		return -EFAULT;
	end[count] = '\0';
	/* A NUL inside would hide what follows it. */
	if (strlen(end) != count)
		return -EINVAL;
	err = filter_apply(written->text);
	if (!err) {
		written->length += count;
	} else if (err == -EINVAL && written->length) {
		err = filter_apply(end);
		if (!err) {
			memmove(written->text, end, count);
			written->length = count;
		}
	}
	return err;
}

static ssize_t filter_write(struct file *file, const char __user *buffer,
			    size_t count, loff_t *pos)
{
	struct filter_file *written;
	int err;

	written = ((struct seq_file *)file->private_data)->private;
	mutex_lock(&written->lock);
	err = filter_append(written, buffer, count);
	/* What was refused must not stand before what comes next. */
	written->text[written->length] = '\0';
	mutex_unlock(&written->lock);
	return err ?: count;
}

static const struct proc_ops filter_ops = {
	.proc_open = filter_open,
	.proc_read = seq_read,
	.proc_write = filter_write,
	.proc_lseek = seq_lseek,
	.proc_release = filter_release,
};

static const struct {
	const char *name;
	umode_t mode;
	const struct proc_ops *ops;
} files[] = {
	{ "timeline", 0444, &tcphs_timeline_ops },
	{ "events", 0444, &tcphs_stream_ops },
	{ "stats", 0444, &stats_ops },
	{ "filter", 0644, &filter_ops },
};

/**
 * tcphs_proc_init() - make /proc/tcphs
 * @gid: group of the initial user namespace that may read; -1 none
 *
 * Return: 0 or -ENOMEM.
 */
int tcphs_proc_init(int gid)
{
	unsigned int i;

	reader_gid = gid < 0 ? INVALID_GID : make_kgid(&init_user_ns, gid);
	dir = proc_mkdir("tcphs", NULL);
	if (!dir)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (!proc_create(files[i].name, files[i].mode, dir,
				 files[i].ops)) {
			/* Somebody may wait for records already. */
			tcphs_ring_close();
			proc_remove(dir);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * tcphs_proc_exit() - remove /proc/tcphs
 *
 * Context: process, sleeps; tcphs_ring_close() was called. Readers that are
 * awake get a moment to see end of file; after that read() gives EIO.
 * proc_remove() waits for calls in progress and closes what is still open.
 */
void tcphs_proc_exit(void)
{
	int waited;

	for (waited = 0; waited < EOF_MS && tcphs_stream_open_files();
	     waited += 20)
		msleep(20);
	proc_remove(dir);
}
