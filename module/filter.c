// SPDX-License-Identifier: GPL-2.0
/*
 * The in-kernel filter, as text:
 *
 *	port 80 443		connections with either port at either end
 *	netns 4026531840	only in these network namespaces
 *	off			everything; stands alone
 *
 * The lines that one open file gets make one filter, which replaces the one
 * before; they all hold together. Whatever is wrong with a line, the filter in
 * force stays.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "filter.h"

DEFINE_STATIC_KEY_FALSE(tcphs_filter_set);

struct tcphs_filter __rcu *tcphs_filter_current;
static DEFINE_MUTEX(filter_lock);	/* serialises writers of the above */

static bool has_netns(const struct tcphs_filter *filter, u32 netns)
{
	unsigned int i;

	if (!filter->netns_count)
		return true;
	for (i = 0; i < filter->netns_count; i++)
		if (filter->netns[i] == netns)
			return true;
	return false;
}

/**
 * tcphs_filter_has_netns() - is it one of the filter's network namespaces?
 * @filter: which has some
 * @netns: inode
 * @unused: see tcphs_compat_rare(), which passes three
 */
u64 tcphs_filter_has_netns(u64 filter, u64 netns, u64 unused)
{
	return has_netns((const struct tcphs_filter *)filter, netns);
}

/**
 * tcphs_filter_match() - does the filter let a record through?
 * @netns: arguments as of tcphs_filter_drops()
 * @sport: local port
 * @dport: remote port
 */
bool tcphs_filter_match(u32 netns, u16 sport, u16 dport)
{
	const struct tcphs_filter *filter;
	bool match;

	rcu_read_lock();
	filter = rcu_dereference(tcphs_filter_current);
	match = !filter || ((test_bit(sport, filter->ports) ||
			     test_bit(dport, filter->ports)) &&
			    has_netns(filter, netns));
	rcu_read_unlock();
	return match;
}

/** tcphs_filter_active() - Return: true if anything is kept out */
bool tcphs_filter_active(void)
{
	return rcu_access_pointer(tcphs_filter_current);
}

/* Process context. Takes over filter; NULL lets everything through. */
static void filter_replace(struct tcphs_filter *filter)
{
	struct tcphs_filter *old;

	if (filter && !filter->by_port)
		bitmap_fill(filter->ports, 65536);
	mutex_lock(&filter_lock);
	old = rcu_replace_pointer(tcphs_filter_current, filter,
				  lockdep_is_held(&filter_lock));
	if (filter && !old)
		static_branch_enable(&tcphs_filter_set);
	else if (!filter && old)
		static_branch_disable(&tcphs_filter_set);
	mutex_unlock(&filter_lock);
	if (old)
		kvfree_rcu(old, rcu);
}

static struct tcphs_filter *filter_alloc(void)
{
	return kvzalloc(sizeof(struct tcphs_filter), GFP_KERNEL);
}

static int port_add(struct tcphs_filter *filter, const char *word)
{
	u16 port;

	if (kstrtou16(word, 10, &port) || !port)
		return -EINVAL;
	__set_bit(port, filter->ports);
	filter->by_port = true;
	return 0;
}

static int netns_add(struct tcphs_filter *filter, const char *word)
{
	u32 netns;

	if (kstrtou32(word, 10, &netns) || !netns)
		return -EINVAL;
	if (filter->netns_count == TCPHS_FILTER_NETNS_MAX)
		return -E2BIG;
	filter->netns[filter->netns_count++] = netns;
	return 0;
}

/* One line of a filter. Return: 1 for "off", 0, or an error. */
static int line_parse(struct tcphs_filter *filter, char *line)
{
	int (*add)(struct tcphs_filter *filter, const char *word);
	bool any = false;
	char *word;
	int err;

	line = strim(line);
	word = strsep(&line, " \t");
	if (!strcmp(word, "off"))
		return line ? -EINVAL : 1;
	if (!strcmp(word, "port"))
		add = port_add;
	else if (!strcmp(word, "netns"))
		add = netns_add;
	else
		return -EINVAL;
	while (line && (word = strsep(&line, " \t"))) {
		if (!*word)
			continue;
		err = add(filter, word);
		if (err)
			return err;
		any = true;
	}
	return any ? 0 : -EINVAL;
}

/**
 * tcphs_filter_write() - replace the filter
 * @text: NUL-terminated lines; is written on
 *
 * Context: process, may sleep.
 * Return: 0, -EINVAL for a line that is not understood (nothing changes),
 * -E2BIG for too many netns, -ENOMEM.
 */
int tcphs_filter_write(char *text)
{
	bool off = false, any = false;
	struct tcphs_filter *filter;
	char *line;
	int err;

	filter = filter_alloc();
	if (!filter)
		return -ENOMEM;
	while ((line = strsep(&text, "\n"))) {
		if (!*skip_spaces(line))
			continue;
		err = line_parse(filter, line);
		if (err < 0)
			goto err_free;
		off |= err;
		any = true;
	}
	err = -EINVAL;
	if (!any || (off && (filter->by_port || filter->netns_count)))
		goto err_free;
	if (off) {
		kvfree(filter);
		filter = NULL;
	}
	filter_replace(filter);
	return 0;

err_free:
	kvfree(filter);
	return err;
}

static void netns_show(struct seq_file *seq, const struct tcphs_filter *filter,
		       u32 netns)
{
	bool shown = false;
	unsigned int i;

	seq_puts(seq, "netns");
	for (i = 0; i < filter->netns_count; i++) {
		if (netns && filter->netns[i] != netns)
			continue;
		seq_printf(seq, " %u", filter->netns[i]);
		shown = true;
	}
	seq_puts(seq, shown ? "\n" : " other\n");
}

/**
 * tcphs_filter_show() - the filter in force, as tcphs_filter_write() takes it
 * @seq: to print to
 * @netns: 0; or for a reader of this one alone, who learns no other's number
 */
void tcphs_filter_show(struct seq_file *seq, u32 netns)
{
	const struct tcphs_filter *filter;
	unsigned int i;

	mutex_lock(&filter_lock);
	filter = rcu_dereference_protected(tcphs_filter_current,
					   lockdep_is_held(&filter_lock));
	if (!filter)
		seq_puts(seq, "off\n");
	if (filter && filter->by_port) {
		seq_puts(seq, "port");
		for_each_set_bit(i, filter->ports, 65536)
			seq_printf(seq, " %u", i);
		seq_putc(seq, '\n');
	}
	if (filter && filter->netns_count)
		netns_show(seq, filter, netns);
	mutex_unlock(&filter_lock);
}

/**
 * tcphs_filter_init() - the module parameter `ports`
 * @ports: host byte order
 * @count: 0 for no filter
 *
 * Return: 0, -EINVAL for port 0, -ENOMEM.
 */
int tcphs_filter_init(const unsigned short *ports, unsigned int count)
{
	struct tcphs_filter *filter;
	unsigned int i;

	if (!count)
		return 0;
	filter = filter_alloc();
	if (!filter)
		return -ENOMEM;
	filter->by_port = true;
	for (i = 0; i < count; i++) {
		if (!ports[i]) {
			kvfree(filter);
			return -EINVAL;
		}
		__set_bit(ports[i], filter->ports);
	}
	filter_replace(filter);
	return 0;
}

/** tcphs_filter_exit() - no writer of records is left */
void tcphs_filter_exit(void)
{
	filter_replace(NULL);
	/* kvfree_rcu() is core code: it needs nothing of this module. */
}
