// SPDX-License-Identifier: GPL-2.0
/*
 * Which records a reader of one network namespace may see.
 *
 * Records know a netns by its inode number, and the kernel gives the number of a
 * netns that is gone to the next one. Whoever makes one then must not find what
 * the ring still has of the one before: the beginning of each netns is noted. And
 * who goes on reading must not find what comes after his own: he holds it.
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
void tcphs_scope_limit(struct tcphs_scope *scope, struct net *net)
{
	const struct scope_net *scope_net = net_generic(net, net_id);

	scope->netns = net->ns.inum;
	scope->since = scope_net->born;
	scope->net = net;
}

/**
 * tcphs_scope_hold() - for longer than the call in which it was limited
 * @scope: its network namespace, if any, stays, and with it its number, until
 * tcphs_scope_release()
 */
void tcphs_scope_hold(const struct tcphs_scope *scope)
{
	if (scope->net)
		get_net(scope->net);
}

/** tcphs_scope_release() - what tcphs_scope_hold() held; process context */
void tcphs_scope_release(const struct tcphs_scope *scope)
{
	if (scope->net)
		put_net(scope->net);
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
