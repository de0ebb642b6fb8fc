// SPDX-License-Identifier: GPL-2.0
/*
 * Which records a reader of one network namespace may see.
 *
 * Records know a netns by its inode number, and the kernel gives the number of a
 * netns that is gone to the next one. Whoever makes one then must not find what
 * the ring still has of the one before: the beginning of each netns is noted.
 */
#include <linux/ktime.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "scope.h"

static unsigned int net_id;

struct scope_net {
	u64 born;		/* or when the module was loaded (ns) */
};

static int __net_init net_begin(struct net *net)
{
	struct scope_net *scope_net = net_generic(net, net_id);

	scope_net->born = ktime_get_ns();
	return 0;
}

static struct pernet_operations net_ops = {
	.init = net_begin,
	.id = &net_id,
	.size = sizeof(struct scope_net),
};

/**
 * tcphs_scope_limit() - to one network namespace
 * @scope: set
 * @net: the caller holds a reference
 */
void tcphs_scope_limit(struct tcphs_scope *scope, const struct net *net)
{
	const struct scope_net *scope_net = net_generic(net, net_id);

	scope->netns = net->ns.inum;
	scope->since = scope_net->born;
}

/**
 * tcphs_scope_attach() - note when network namespaces begin
 *
 * Context: process, may sleep; before the first record is written.
 * Return: 0 or -ENOMEM.
 */
int tcphs_scope_attach(void)
{
	return register_pernet_subsys(&net_ops);
}

/** tcphs_scope_detach() - no open file is left */
void tcphs_scope_detach(void)
{
	unregister_pernet_subsys(&net_ops);
}
