// SPDX-License-Identifier: GPL-2.0
/*
 * Who a record is about.
 *
 * A socket is named by a keyed hash of its address: the same for its whole
 * life, of no use to find the address, and free of any table of connections in
 * the kernel. The kernel uses memory again, so the name means a new socket
 * after a TCPHS_DESTROY record or a birth transition.
 */
#include <linux/random.h>
#include <linux/siphash.h>

#include "identity.h"

static siphash_key_t key __ro_after_init;
static u64 session __ro_after_init;
static u64 loaded __ro_after_init;

/**
 * tcphs_identity_name() - the name of a socket in the records
 * @address: of a socket of any kind
 *
 * Return: never 0, which stands for an unknown socket.
 */
u64 tcphs_identity_name(u64 address)
{
	return siphash_1u64(address, &key) ?: 1;
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
