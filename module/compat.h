/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows how kernels differ. The code is written against the
 * newest kernel; what older ones lack is made up for here, each piece with the
 * version that changed it, so that dropping a kernel deletes a block. Stable
 * kernels get changes of later ones: so TCPHS_TRY_NAME, defined where
 * module/try/NAME.c compiles (see Kbuild), decides wherever that can tell.
 */
#ifndef _TCPHS_COMPAT_H
#define _TCPHS_COMPAT_H

#include <linux/ftrace.h>
#include <linux/mm.h> /* before 5.16 it has the kvmalloc() family */
#include <linux/netfilter.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/tcp.h>
#include <net/inet_hashtables.h>
#include <net/inet6_hashtables.h>
#include <net/tcp.h>
#include <tcphs.h>

/*
 * A function that is seldom called from where every instruction counts. It saves
 * all registers itself, and tcphs_compat_rare() calls it: so its caller has no
 * need of registers that outlive a call, which it would have to save each time.
 * The function tracer knows nothing of that. It takes and returns u64.
 */
#ifdef CONFIG_X86_64
#include <asm/asm.h>
#define TCPHS_RARE	__attribute__((__cold__, __no_instrument_function__, \
				       __no_caller_saved_registers__))
#define tcphs_compat_rare(function, a, b, c) \
({ \
	u64 __result; \
	asm volatile("call " #function \
		     : "=a" (__result), ASM_CALL_CONSTRAINT \
		     : "D" ((u64)(a)), "S" ((u64)(b)), "d" ((u64)(c)) \
		     : "cc", "memory"); \
	__result; \
})
#else
#define TCPHS_RARE	__cold
#define tcphs_compat_rare(function, a, b, c)	function(a, b, c)
#endif

/*
 * A field of the CPU's own copy of a variable, as an operand of whatever is done
 * with it: before 6.10 the kernel's ways to read one are an instruction each. Only
 * where the compiler does not check each access.
 */
#if defined(CONFIG_X86_64) && defined(CONFIG_SMP) && defined(__SEG_GS) && \
	!defined(__CHECKER__) && !defined(CONFIG_KASAN) && !defined(CONFIG_KCSAN)
#define tcphs_compat_own(type, field)	(*(type __seg_gs *)(uintptr_t)&(field))
#else
#define tcphs_compat_own(type, field)	(*raw_cpu_ptr(&(field)))
#endif

/*
 * The running process' name, of TASK_COMM_LEN bytes. Behind its NUL are zeroes from
 * 5.17 on, before that what is left of a longer name that the process had: which of
 * the two no compiler can tell.
 */
static __always_inline void tcphs_compat_comm(char *comm)
{
	/* Racing with prctl(PR_SET_NAME) may mix two names, as in ftrace. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 17, 0)
	memcpy(comm, current->comm, TASK_COMM_LEN);
#else
	strscpy_pad(comm, current->comm, TASK_COMM_LEN);
#endif
}

/*
 * What ftrace tells at a function's entry: from 5.11 on the arguments, at no more
 * cost; before, all registers if they are asked for. The flag of who needs no
 * protection from recursion became one of who does. PERMANENT: with
 * kernel.ftrace_enabled=0 it is not attached, instead of never being called; and
 * nobody sets that as long as it is.
 */
#if defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)
#define TCPHS_HAVE_FTRACE	1
#define TCPHS_FTRACE_FLAGS	FTRACE_OPS_FL_PERMANENT
#define tcphs_compat_regs_t	struct ftrace_regs
#elif defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS) && \
	defined(TCPHS_TRY_FTRACE_RECURSION_SAFE)
#define TCPHS_HAVE_FTRACE	1
#define TCPHS_FTRACE_FLAGS	(FTRACE_OPS_FL_SAVE_REGS | \
				 FTRACE_OPS_FL_RECURSION_SAFE | \
				 FTRACE_OPS_FL_PERMANENT)
#define tcphs_compat_regs_t	struct pt_regs
#endif

#ifdef TCPHS_HAVE_FTRACE
static __always_inline void *tcphs_compat_first_argument(tcphs_compat_regs_t *regs)
{
#ifdef ftrace_regs_get_argument
	return (void *)ftrace_regs_get_argument(regs, 0);
#elif defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)
	return (void *)regs_get_kernel_argument(&regs->regs, 0);
#else
	return (void *)regs_get_kernel_argument(regs, 0);
#endif
}
#endif

/*
 * Probes of tracepoints are called with preemption off, for which RCU waits, too;
 * in 7.2 under SRCU alone.
 */
#ifdef TCPHS_TRY_SRCU_PROBES
#define TCPHS_PROBES_UNDER_RCU	0
#else
#define TCPHS_PROBES_UNDER_RCU	1
#endif

/*
 * tcp_send_reset has a reason from 6.10 on. Before that it passes the socket
 * and the offending segment only.
 */
void tcphs_transition_send_reset(const struct sock *sk,
				 const struct sk_buff *skb, u8 reason);

#ifdef TCPHS_TRY_RESET_REASON
#include <net/rstreason.h>
#define TCPHS_HAVE_RESET_REASON 1
static inline void tcphs_compat_send_reset(void *data, const struct sock *sk,
					   const struct sk_buff *skb,
					   const enum sk_rst_reason reason)
{
	tcphs_transition_send_reset(sk, skb, reason);
}
#else
#define TCPHS_HAVE_RESET_REASON 0
static inline void tcphs_compat_send_reset(void *data, const struct sock *sk,
					   const struct sk_buff *skb)
{
	tcphs_transition_send_reset(sk, skb, TCPHS_REASON_UNKNOWN);
}
#endif

/* The table of a netns' sockets: from 6.1 on it may have one of its own. */
static inline struct inet_hashinfo *tcphs_compat_hashinfo(struct net *net)
{
#ifdef TCPHS_TRY_NETNS_SOCKETS
	return net->ipv4.tcp_death_row.hashinfo;
#else
	return &tcp_hashinfo;
#endif
}

/*
 * A socket in it, which from 6.18 on is not an argument any more. Return: with a
 * reference, except listeners (RCU).
 */
#ifdef TCPHS_TRY_LOOKUP_BY_NETNS
#define lookup(function, net, ...)	function(net, __VA_ARGS__)
#else
#define lookup(function, net, ...) \
	function(net, tcphs_compat_hashinfo(net), __VA_ARGS__)
#endif

static inline struct sock *
tcphs_compat_established4(struct net *net, __be32 remote, __be16 dport,
			  __be32 local, u16 sport, int dif, int sdif)
{
	return lookup(__inet_lookup_established, net, remote, dport, local,
		      sport, dif, sdif);
}

static inline struct sock *
tcphs_compat_listener4(struct net *net, __be32 remote, __be16 dport,
		       __be32 local, u16 sport, int dif, int sdif)
{
	return lookup(__inet_lookup_listener, net, NULL, 0, remote, dport,
		      local, sport, dif, sdif);
}

#if IS_ENABLED(CONFIG_IPV6)
static inline struct sock *
tcphs_compat_established6(struct net *net, const struct in6_addr *remote,
			  __be16 dport, const struct in6_addr *local,
			  u16 sport, int dif, int sdif)
{
	return lookup(__inet6_lookup_established, net, remote, dport, local,
		      sport, dif, sdif);
}

static inline struct sock *
tcphs_compat_listener6(struct net *net, const struct in6_addr *remote,
		       __be16 dport, const struct in6_addr *local, u16 sport,
		       int dif, int sdif)
{
	return lookup(inet6_lookup_listener, net, NULL, 0, remote, dport,
		      local, sport, dif, sdif);
}
#endif

#undef lookup

/* 5.10 does not promise to leave the packet as it is, and does. */
static inline int tcphs_compat_sdif4(const struct sk_buff *skb)
{
	return inet_sdif((struct sk_buff *)skb);
}

/* Is it a copy that nft's dup, or iptables' TEE, is sending? From 6.16 on the task knows. */
static __always_inline bool tcphs_compat_is_copy(void)
{
#ifdef TCPHS_TRY_TASK_DUPLICATES
	return current->in_nf_duplicate;
#else
	return this_cpu_read(nf_skb_duplicated);
#endif
}

#endif /* _TCPHS_COMPAT_H */
