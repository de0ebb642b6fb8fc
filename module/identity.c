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
#include <linux/hash.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>

#include "compat.h"
#include "identity.h"
#include "ring.h"

#define CACHE_BITS 5

/*
 * siphash costs about as much as all the rest of a record, and a connection's
 * events come close together: a few remembered results save most of it. The
 * hash depends on the pointer alone, so an entry can never be stale.
 */
struct cache {
	const void *sk;
	u64 hash;
};

static DEFINE_PER_CPU(struct cache[1 << CACHE_BITS], caches);
static siphash_key_t key __ro_after_init;
static u64 session __ro_after_init;
static u64 loaded __ro_after_init;

/**
 * tcphs_identity_hash() - the name of a socket in the records
 * @sk: socket of any kind, only its address is used
 *
 * Context: interrupts off (between tcphs_ring_begin() and _commit()).
 * Return: never 0, which stands for an unknown socket.
 */
u64 tcphs_identity_hash(const void *sk)
{
	struct cache *entry;

	entry = this_cpu_ptr(&caches[hash_ptr(sk, CACHE_BITS)]);
	if (entry->sk != sk) {
		entry->hash = siphash_1u64((unsigned long)sk, &key) ?: 1;
		entry->sk = sk;
	}
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

static void addr4_set(u8 *to, __be32 addr)
{
	u64 *word = (u64 *)to;

	word[0] = (__force u32)addr; /* little endian: low bytes first */
#ifdef __BIG_ENDIAN
	word[0] <<= 32;
#endif
	word[1] = 0;
}

static void addr6_set(u8 *to, const struct in6_addr *addr)
{
	memcpy(to, addr, sizeof(*addr));
}

#if IS_ENABLED(CONFIG_IPV6)
/*
 * An AF_INET6 socket that carries IPv4. A listener on :: carries either and
 * has no remote address: it counts as IPv6.
 */
static bool is_mapped(const struct sock *sk)
{
	return ipv6_addr_v4mapped(&sk->sk_v6_daddr) ||
	       (ipv6_addr_any(&sk->sk_v6_daddr) &&
		ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr));
}

/* Return: false for IPv4 on an AF_INET6 socket, which the caller does. */
static bool ends6_set(struct tcphs_record *record, const struct sock *sk)
{
	if (is_mapped(sk)) {
		record->flags = TCPHS_V4MAPPED;
		return false;
	}
	record->flags = TCPHS_INET6;
	addr6_set(record->saddr, &sk->sk_v6_rcv_saddr);
	addr6_set(record->daddr, &sk->sk_v6_daddr);
	return true;
}
#else
static bool ends6_set(struct tcphs_record *record, const struct sock *sk)
{
	record->flags = 0;
	return false;
}
#endif

/**
 * tcphs_identity_ends() - addresses, ports, netns and name of a full socket
 * @record: sets saddr daddr sport dport netns sock flags
 * @sk: a full TCP socket; its lock need not be held
 *
 * Context: interrupts off.
 */
void tcphs_identity_ends(struct tcphs_record *record, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	record->flags = 0;
	if (sk->sk_family != AF_INET6 || !ends6_set(record, sk)) {
		addr4_set(record->saddr, inet->inet_saddr ?: sk->sk_rcv_saddr);
		addr4_set(record->daddr, sk->sk_daddr);
	}
	/*
	 * inet_sport, not inet_num: at -> CLOSE the port is already given back
	 * and inet_num may be 0.
	 */
	record->sport = ntohs(inet->inet_sport);
	record->dport = ntohs(inet->inet_dport);
	if (!record->sport)
		record->flags |= TCPHS_NO_LOCAL_PORT;
	if (!record->dport)
		record->flags |= TCPHS_NO_REMOTE;
	record->netns = sock_net(sk)->ns.inum;
	record->sock = tcphs_identity_hash(sk);
}

/**
 * tcphs_identity_mini_ends() - the same of a request or TIME_WAIT mini-socket
 * @record: sets saddr daddr sport dport netns sock flags
 * @sk: a request_sock or inet_timewait_sock, that is no more than a
 *	struct sock_common
 *
 * Context: interrupts off; the caller holds a reference or RCU.
 */
void tcphs_identity_mini_ends(struct tcphs_record *record,
			      const struct sock *sk)
{
	record->flags = 0;
	if (sk->sk_family != AF_INET6 || !ends6_set(record, sk)) {
		addr4_set(record->saddr, sk->sk_rcv_saddr);
		addr4_set(record->daddr, sk->sk_daddr);
	}
	record->sport = sk->sk_num;
	record->dport = ntohs(sk->sk_dport);
	record->netns = sock_net(sk)->ns.inum;
	record->sock = tcphs_identity_hash(sk);
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

/** tcphs_identity_uid() - the socket's user in the initial user namespace */
u32 tcphs_identity_uid(const struct sock *sk)
{
	return from_kuid(&init_user_ns, tcphs_compat_sk_uid(sk));
}
