/* SPDX-License-Identifier: GPL-2.0 */
/* Who a record is about: the socket's identity, its two ends, its owner. */
#ifndef _TCPHS_IDENTITY_H
#define _TCPHS_IDENTITY_H

#include <linux/preempt.h>
#include <linux/sched.h>
#include <net/sock.h>
#include <tcphs.h>

u64 tcphs_identity_hash(const void *sk);
u64 tcphs_identity_session(void);
u64 tcphs_identity_loaded(void);
void tcphs_identity_init(void);

void tcphs_identity_ends(struct tcphs_record *record, const struct sock *sk);
void tcphs_identity_mini_ends(struct tcphs_record *record,
			      const struct sock *sk);
u64 tcphs_identity_cgroup(const struct sock *sk);
u32 tcphs_identity_uid(const struct sock *sk);

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

#endif /* _TCPHS_IDENTITY_H */
