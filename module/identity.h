/* SPDX-License-Identifier: GPL-2.0 */
/* Who a record is about: the socket's identity, its two ends, its owner. */
#ifndef _TCPHS_IDENTITY_H
#define _TCPHS_IDENTITY_H

#include <linux/cgroup.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <tcphs.h>

#include "compat.h"

u64 tcphs_identity_name(u64 address);
u64 tcphs_identity_session(void);
u64 tcphs_identity_loaded(void);
void tcphs_identity_init(void);

/** tcphs_identity_cgroup() - cgroup v2 id of a full socket, 0 without */
static inline u64 tcphs_identity_cgroup(const struct sock *sk)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	struct cgroup *cgroup;

	cgroup = sock_cgroup_ptr((struct sock_cgroup_data *)&sk->sk_cgrp_data);
	return cgroup ? cgroup_id(cgroup) : 0;
#else
	return 0;
#endif
}

/**
 * tcphs_identity_is_tcp() - is it a TCP connection's own socket?
 * @sk: any full socket; SCTP's, DCCP's and MPTCP's master socket share the
 *	tracepoint with TCP
 */
static inline bool tcphs_identity_is_tcp(const struct sock *sk)
{
	u32 both;

	/* In all kernels the one stands behind the other: one comparison. */
	if (offsetof(struct sock, sk_protocol) !=
	    offsetof(struct sock, sk_type) + sizeof(sk->sk_type))
		return sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM;
	memcpy(&both, (const u8 *)sk + offsetof(struct sock, sk_type), sizeof(both));
#ifdef __LITTLE_ENDIAN
	return both == (IPPROTO_TCP << 16 | SOCK_STREAM);
#else
	return both == (SOCK_STREAM << 16 | IPPROTO_TCP);
#endif
}

/** tcphs_identity_in_softirq() - is current only whom a softirq interrupted? */
static __always_inline bool tcphs_identity_in_softirq(void)
{
	/* No event is in a hard interrupt or NMI. */
	return in_serving_softirq();
}

/** tcphs_identity_in_process() - is there a user process, not in a softirq? */
static __always_inline bool tcphs_identity_in_process(void)
{
	return !tcphs_identity_in_softirq() && !(current->flags & PF_KTHREAD);
}

/*
 * close() of a listener ends the connections that nobody has accepted, without owning
 * them. Such a one has no process, and if a segment ended it, an error.
 */
static inline bool tcphs_identity_goes_with_listener(const struct sock *sk)
{
	return !sk->sk_socket && !sock_flag(sk, SOCK_DEAD) && !READ_ONCE(sk->sk_err);
}

/**
 * tcphs_identity_acts() - does an event happen for the process that is running?
 * @sk: the event's full socket
 * @ends: the event is its end
 *
 * A kernel thread is none. With softirqs off a process may be bringing others'
 * segments into the stack: who writes to a tun device, vhost's worker, who polls a
 * network card. It does not own the socket then, as a process does that acts on it.
 */
static __always_inline bool tcphs_identity_acts(const struct sock *sk, bool ends)
{
	if (!tcphs_identity_in_process())
		return false;
	return !in_softirq() || sock_owned_by_user_nocheck(sk) ||
	       (ends && tcphs_identity_goes_with_listener(sk));
}

/**
 * tcphs_identity_owner_set() - fill in pid and comm
 * @pid: thread group id in the initial pid namespace
 * @comm: 16 bytes
 *
 * Context: of a process, for which the event happens.
 */
static __always_inline void tcphs_identity_owner_set(u32 *pid, char *comm)
{
	*pid = task_tgid_nr(current);
	tcphs_compat_comm(comm);
}

/**
 * tcphs_identity_owner() - fill in pid and comm, if there is a process
 * @process: the event happens for it
 * @pid: as above
 * @comm: as above
 *
 * Return: TCPHS_HAS_OWNER, or 0 without: then both are left alone.
 */
static __always_inline u8 tcphs_identity_owner(bool process, u32 *pid, char *comm)
{
	if (!process)
		return 0;
	tcphs_identity_owner_set(pid, comm);
	return TCPHS_HAS_OWNER;
}

/**
 * tcphs_identity_of() - what a slot has of a socket: its address
 * @sk: socket of any kind
 *
 * tcphs_seal_copy() makes the name of it.
 */
static __always_inline u64 tcphs_identity_of(const void *sk)
{
	return (unsigned long)sk;
}

/** tcphs_identity_uid() - the socket's user in the initial user namespace */
static inline u32 tcphs_identity_uid(const struct sock *sk)
{
	return __kuid_val(READ_ONCE(sk->sk_uid));
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
#endif

/*
 * Addresses of a socket of any kind, and flags. Those of IPv4 stay as they stand in
 * the socket, the remote one first.
 */
static __always_inline void
tcphs_identity_addresses(struct tcphs_record *record, const struct sock *sk)
{
	record->flags = 0;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		if (!tcphs_identity_is_mapped(sk)) {
			record->flags = TCPHS_INET6;
			memcpy(record->saddr, &sk->sk_v6_rcv_saddr, 16);
			memcpy(record->daddr, &sk->sk_v6_daddr, 16);
			return;
		}
		record->flags = TCPHS_V4MAPPED;
	}
#endif
	memcpy(record->saddr, &sk->sk_addrpair, 8);
}

/**
 * tcphs_identity_ends() - addresses, ports, netns and identity of a full socket
 * @record: sets saddr daddr sport dport netns sock flags, for tcphs_seal_copy()
 * @sk: a full TCP socket; its lock need not be held
 *
 * Context: between tcphs_ring_begin() and _commit().
 */
static __always_inline void
tcphs_identity_ends(struct tcphs_record *record, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	tcphs_identity_addresses(record, sk);
	/*
	 * inet_sport, not inet_num: at -> CLOSE the port is already given back
	 * and inet_num may be 0.
	 */
	record->sport = (__force u16)inet->inet_sport;
	record->dport = (__force u16)inet->inet_dport;
	record->netns = sock_net(sk)->ns.inum;
	record->sock = tcphs_identity_of(sk);
}

/**
 * tcphs_identity_mini_ends() - the same of a request or TIME_WAIT mini-socket
 * @record: sets saddr daddr sport dport netns sock flags, for tcphs_seal_copy()
 * @sk: a request_sock or inet_timewait_sock, that is no more than a
 *	struct sock_common
 *
 * Context: as above; the caller holds a reference or RCU.
 */
static __always_inline void
tcphs_identity_mini_ends(struct tcphs_record *record, const struct sock *sk)
{
	tcphs_identity_addresses(record, sk);
	record->sport = (__force u16)htons(sk->sk_num);
	record->dport = (__force u16)sk->sk_dport;
	record->netns = sock_net(sk)->ns.inum;
	record->sock = tcphs_identity_of(sk);
}

#endif /* _TCPHS_IDENTITY_H */
