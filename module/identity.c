// SPDX-License-Identifier: GPL-2.0
/*
 * Who a record is about.
 *
 * A socket is named by a keyed hash of its address: the same for its whole
 * life, of no use to find the address, and free of any table of connections in
 * the kernel. The kernel uses memory again, so the name means a new socket
 * after a TCPHS_DESTROY record or a birth transition.
 */
#include <linux/cgroup.h>
#include <linux/random.h>
#include <linux/siphash.h>

#include "identity.h"

DEFINE_PER_CPU(struct tcphs_identity[1 << TCPHS_IDENTITY_BITS],
	       tcphs_identities);

static siphash_key_t key __ro_after_init;
static u64 session __ro_after_init;
static u64 loaded __ro_after_init;

/* The cache did not have it: compute and remember. Interrupts are off. */
u64 tcphs_identity_compute(struct tcphs_identity *entry, const void *sk)
{
	entry->hash = siphash_1u64((unsigned long)sk, &key) ?: 1;
	entry->sk = sk;
	return entry->hash;
}

/** tcphs_identity_session() - random number of this load of the module */
u64 tcphs_identity_session(void)
{
	return session;
}

/** tcphs_identity_loaded() - when this load began (ns, CLOCK_MONOTONIC) */
u64 tcphs_identity_loaded(void)
{
	return loaded;
}

void tcphs_identity_init(void)
{
	loaded = ktime_get_ns();
	get_random_bytes(&key, sizeof(key));
	get_random_bytes(&session, sizeof(session));
}

/** tcphs_identity_cgroup() - cgroup v2 id of a full socket, 0 without */
u64 tcphs_identity_cgroup(const struct sock *sk)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	struct cgroup *cgroup;

	cgroup = sock_cgroup_ptr((struct sock_cgroup_data *)&sk->sk_cgrp_data);
	return cgroup ? cgroup_id(cgroup) : 0;
#else
	return 0;
#endif
}
