/* SPDX-License-Identifier: GPL-2.0 */
/* Who a record is about: the socket's identity, its two ends, its owner. */
#ifndef _TCPHS_IDENTITY_H
#define _TCPHS_IDENTITY_H

#include <linux/hash.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <tcphs.h>

#include "compat.h"

#define TCPHS_IDENTITY_BITS 5

/*
 * siphash costs about as much as all the rest of a record, and a connection's
 * events come close together: a few remembered results save most of it. The
 * hash depends on the pointer alone, so an entry can never be stale.
 */
struct tcphs_identity {
	const void *sk;
	u64 hash;
};

DECLARE_PER_CPU(struct tcphs_identity[1 << TCPHS_IDENTITY_BITS],
		tcphs_identities);

u64 tcphs_identity_compute(struct tcphs_identity *entry, const void *sk);
u64 tcphs_identity_session(void);
u64 tcphs_identity_loaded(void);
void tcphs_identity_init(void);

u64 tcphs_identity_cgroup(const struct sock *sk);

/**
 * tcphs_identity_is_tcp() - is it a TCP connection's own socket?
 * @sk: any full socket; SCTP's, DCCP's and MPTCP's master socket share the
 *	tracepoint with TCP
 */
static inline bool tcphs_identity_is_tcp(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM;
}

/**
 * tcphs_identity_in_process() - does the event happen for a user process?
 *
 * Not so in a softirq, where current is whom the softirq interrupted, nor in a
 * kernel thread.
 */
static inline bool tcphs_identity_in_process(void)
{
	return in_task() && !(current->flags & PF_KTHREAD);
}

/**
 * tcphs_identity_owner() - fill in pid and comm
 * @pid: thread group id in the initial pid namespace, or 0
 * @comm: 16 bytes
 *
 * Return: TCPHS_HAS_OWNER, or 0 outside of a process: then both are zeroed.
 */
static inline u8 tcphs_identity_owner(u32 *pid, char *comm)
{
	if (!tcphs_identity_in_process()) {
		*pid = 0;
		memset(comm, 0, TASK_COMM_LEN);
		return 0;
	}
	*pid = task_tgid_nr(current);
	/* Racing with prctl(PR_SET_NAME) may mix two names, as in ftrace. */
	memcpy(comm, current->comm, TASK_COMM_LEN);
	comm[TASK_COMM_LEN - 1] = '\0';
	return TCPHS_HAS_OWNER;
}
/**
 * tcphs_identity_hash() - the name of a socket in the records
 * @sk: socket of any kind, only its address is used
 *
 * Context: interrupts off (between tcphs_ring_begin() and _commit()).
 * Return: never 0, which stands for an unknown socket.
 */
static __always_inline u64 tcphs_identity_hash(const void *sk)
{
	struct tcphs_identity *entry;

	entry = this_cpu_ptr(&tcphs_identities[hash_ptr(sk,
							TCPHS_IDENTITY_BITS)]);
	if (unlikely(entry->sk != sk))
		return tcphs_identity_compute(entry, sk);
	return entry->hash;
}

/** tcphs_identity_uid() - the socket's user in the initial user namespace */
static inline u32 tcphs_identity_uid(const struct sock *sk)
{
	return __kuid_val(READ_ONCE(sk->sk_uid));
}

/**
 * tcphs_identity_addr() - store an address, with what follows it cleared
 * @to: 16 bytes, aligned to 8
 * @addr: in6_addr, or __be32
 * @inet6: which of them
 */
static __always_inline void tcphs_identity_addr(u8 *to, const void *addr,
						bool inet6)
{
	if (inet6) {
		memcpy(to, addr, 16);
	} else {
		memcpy(to, addr, 4);
		memset(to + 4, 0, 12);
	}
}

#if IS_ENABLED(CONFIG_IPV6)
/*
 * An AF_INET6 socket that carries IPv4. A listener on :: carries either and
 * has no remote address: it counts as IPv6.
 */
static inline bool tcphs_identity_is_mapped(const struct sock *sk)
{
	return ipv6_addr_v4mapped(&sk->sk_v6_daddr) ||
	       (ipv6_addr_any(&sk->sk_v6_daddr) &&
		ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr));
}

/* Return: false for IPv4 on an AF_INET6 socket, which the caller does. */
static __always_inline bool
tcphs_identity_ends6(struct tcphs_record *record, const struct sock *sk)
{
	if (tcphs_identity_is_mapped(sk)) {
		record->flags = TCPHS_V4MAPPED;
		return false;
	}
	record->flags = TCPHS_INET6;
	tcphs_identity_addr(record->saddr, &sk->sk_v6_rcv_saddr, true);
	tcphs_identity_addr(record->daddr, &sk->sk_v6_daddr, true);
	return true;
}
#else
static __always_inline bool
tcphs_identity_ends6(struct tcphs_record *record, const struct sock *sk)
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
static __always_inline void
tcphs_identity_ends(struct tcphs_record *record, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	record->flags = 0;
	if (sk->sk_family != AF_INET6 || !tcphs_identity_ends6(record, sk)) {
		tcphs_identity_addr(record->saddr, inet->inet_saddr ?
				    &inet->inet_saddr : &sk->sk_rcv_saddr,
				    false);
		tcphs_identity_addr(record->daddr, &sk->sk_daddr, false);
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
static inline void
tcphs_identity_mini_ends(struct tcphs_record *record, const struct sock *sk)
{
	record->flags = 0;
	if (sk->sk_family != AF_INET6 || !tcphs_identity_ends6(record, sk)) {
		tcphs_identity_addr(record->saddr, &sk->sk_rcv_saddr, false);
		tcphs_identity_addr(record->daddr, &sk->sk_daddr, false);
	}
	record->sport = sk->sk_num;
	record->dport = ntohs(sk->sk_dport);
	record->netns = sock_net(sk)->ns.inum;
	record->sock = tcphs_identity_hash(sk);
}

#endif /* _TCPHS_IDENTITY_H */
