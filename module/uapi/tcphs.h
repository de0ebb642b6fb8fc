/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * tcphs: the record format, shared by the kernel module and every reader.
 *
 * This header is the only copy. /proc/tcphs/events delivers, and a recording
 * made by `tcphs record` holds, exactly these bytes:
 *
 *	struct tcphs_header		256 bytes, once
 *	struct tcphs_record ...		128 bytes each
 *
 * Everything is in the byte order of the machine that recorded; only addresses
 * are in network byte order. A reader looks at `magic`, then at `byte_order`
 * (swapped: the other endianness), then at `abi_major`: a larger one than its
 * own means a format that it cannot read. `header_size` and `record_size` say
 * how far to step, so that a minor version may append fields.
 *
 * Order. Records come in time order over all CPUs, and those of one socket in
 * the order in which they happened. `n` counts each CPU's records from 0. Where
 * some were lost a TCPHS_LOST record stands in the gap. In a stream of one network
 * namespace alone (tcphs_header.netns) `n` begins with the time of the CPU's first
 * record that is delivered, and counts these from there: a count of all would tell
 * what others do.
 *
 * Unknown is said, never guessed: each record has bits for what it knows (has,
 * flags). A field whose bit is clear is zero.
 *
 * One connection over loopback leaves about this (C: client, S: server end):
 *
 *	C transition CLOSE -> SYN_SENT		no local port yet
 *	C segment    out SYN
 *	S segment    in  SYN
 *	S transition LISTEN -> SYN_RECV		via request: the mini-socket
 *	S segment    out SYN,ACK		from the same request
 *	C segment    in  SYN,ACK
 *	C transition SYN_SENT -> ESTABLISHED
 *	C segment    out ACK
 *	S segment    in  ACK
 *	S transition LISTEN -> SYN_RECV		via tracepoint: the child is
 *						cloned; no remote end yet
 *	S transition SYN_RECV -> ESTABLISHED	the same socket, all known
 *	...
 *	C transition FIN_WAIT2 -> CLOSE		what the kernel says, and then
 *	C transition FIN_WAIT2 -> TIME_WAIT	via timewait: what it means
 *	C transition TIME_WAIT -> CLOSE		via timewait: 60 s later
 *
 * A request that ends without a child leaves SYN_RECV -> CLOSE via request.
 */
#ifndef _UAPI_TCPHS_H
#define _UAPI_TCPHS_H

#include <linux/types.h>

/* The payload begins 4 bytes past a multiple of 8, and so do its structs. */
#define TCPHS_PACKED		__attribute__((packed, aligned(4)))

#define TCPHS_MAGIC		"TCPHS\r\n\032"	/* 8 bytes, no NUL */
#define TCPHS_BYTE_ORDER	0x01020304
#define TCPHS_ABI_MAJOR		1	/* an older reader would misread */
#define TCPHS_ABI_MINOR		0	/* something was added */

/* tcphs_header.segments: how much of the traffic is recorded. */
enum {
	TCPHS_SEGMENTS_NONE = 0,	/* state transitions only */
	TCPHS_SEGMENTS_HANDSHAKE = 1,	/* SYN, FIN, RST and the pure ACKs that
					 * answer them, or the data with a
					 * client's first ACK; keep-alive,
					 * challenge
					 */
	TCPHS_SEGMENTS_ALL = 2,		/* every segment's header */
};

/* tcphs_header.missing: what the recording kernel could not observe. */
#define TCPHS_MISSING_SEND_RESET	(1U << 0) /* no tcp_send_reset */
#define TCPHS_MISSING_RECEIVE_RESET	(1U << 1) /* no tcp_receive_reset */
#define TCPHS_MISSING_DESTROY		(1U << 2) /* no tcp_destroy_sock */
#define TCPHS_MISSING_TIMEWAIT_END	(1U << 3) /* no hook: end unseen */
#define TCPHS_MISSING_RESET_REASON	(1U << 4) /* before 6.10 */
#define TCPHS_MISSING_ACCEPT		(1U << 5) /* no hook: accept() unseen */
#define TCPHS_MISSING_REQUEST_END	(1U << 6) /* no hook: expiry unseen */

struct tcphs_header {
	__u8	magic[8];
	__u32	byte_order;	/* TCPHS_BYTE_ORDER */
	__u16	abi_major;
	__u16	abi_minor;
	__u32	header_size;	/* where the first record begins */
	__u32	record_size;	/* from one record to the next */
	__u32	cpus;		/* CPU numbers are below this */
	__u32	ring_records;	/* how many each CPU's ring keeps */
	__u64	session;	/* random at load: the scope of `sock` and `n` */
	__s64	wall_offset;	/* ns; CLOCK_REALTIME = ts + wall_offset */
	__u64	loaded;		/* ts at which recording began */
	__u64	opened;		/* ts at which this stream was opened */
	__u32	netns;		/* 0: every one; else the only one delivered */
	__u32	missing;	/* TCPHS_MISSING_* */
	__u8	segments;	/* TCPHS_SEGMENTS_* */
	__u8	filtered;	/* 1: an in-kernel filter was set at open */
	__u8	__pad[6];
	char	hostname[64];	/* NUL-terminated */
	char	release[64];	/* the kernel's, NUL-terminated */
	__u8	boot[16];	/* the boot's UUID; the reader adds it, zero: unknown */
	__u64	complete;	/* ts from which on nothing was overwritten when
				 * the stream was opened; 0: since loaded
				 */
	__u8	__reserved[24];
};

/* tcphs_record.kind */
enum {
	TCPHS_TRANSITION = 1,	/* .transition */
	TCPHS_SEGMENT = 2,	/* .segment */
	TCPHS_RESET = 3,	/* .reset */
	TCPHS_DESTROY = 4,	/* .destroy: the socket's memory is given back;
				 * `sock` may stand for another from here on
				 */
	TCPHS_LOST = 5,		/* .lost: made for the reader, not in any ring */
	TCPHS_ACCEPT = 6,	/* .accept: a process took the socket */
};

/* tcphs_record.flags */
#define TCPHS_INET6		(1 << 0) /* else IPv4, also on AF_INET6 sockets */
#define TCPHS_V4MAPPED		(1 << 1) /* IPv4 on an AF_INET6 socket */
#define TCPHS_NO_LOCAL_PORT	(1 << 2) /* sport and saddr not chosen yet */
#define TCPHS_NO_REMOTE		(1 << 3) /* dport and daddr not known */
/* A birth, told when its SYN leaves: the filter did not know the port before. */
#define TCPHS_LATE		(1 << 4)
/* Of TCPHS_LOST: how many is not to be known, `count` is 1: see struct tcphs_lost. */
#define TCPHS_SOME		(1 << 5)

/*
 * States are the kernel's numbers (TCP_ESTABLISHED = 1 ... TCP_CLOSING = 11).
 * A request mini-socket counts as SYN_RECV, a TIME_WAIT one as what it stands
 * for: TIME_WAIT, or FIN_WAIT2 that lost its process.
 */
enum {
	TCPHS_STATE_UNKNOWN = 0,
	TCPHS_ESTABLISHED = 1,
	TCPHS_SYN_SENT = 2,
	TCPHS_SYN_RECV = 3,
	TCPHS_FIN_WAIT1 = 4,
	TCPHS_FIN_WAIT2 = 5,
	TCPHS_TIME_WAIT = 6,
	TCPHS_CLOSE = 7,
	TCPHS_CLOSE_WAIT = 8,
	TCPHS_LAST_ACK = 9,
	TCPHS_LISTEN = 10,
	TCPHS_CLOSING = 11,
	TCPHS_STATE_MAX = 11,
};

/* tcphs_transition.via: who said so. */
enum {
	TCPHS_VIA_TRACEPOINT = 1,	/* sock:inet_sock_set_state */
	TCPHS_VIA_REQUEST = 2,		/* a request socket (SYN queue) */
	TCPHS_VIA_TIMEWAIT = 3,		/* a TIME_WAIT mini-socket */
};

/* tcphs_transition.has, tcphs_reset.has */
#define TCPHS_HAS_SND_NXT	(1 << 0)
#define TCPHS_HAS_SND_UNA	(1 << 1)
#define TCPHS_HAS_RCV_NXT	(1 << 2)
#define TCPHS_HAS_WRITE_SEQ	(1 << 3)
#define TCPHS_HAS_ISS		(1 << 4)
#define TCPHS_HAS_IRS		(1 << 5)
#define TCPHS_HAS_OWNER		(1 << 6) /* pid and comm: see below */
#define TCPHS_HAS_BIRTH		(1 << 7) /* .birth, and none of the numbers */

#define TCPHS_UID_UNKNOWN	0xffffffffU

/* RFC 9293, 3.3.1: the send and receive sequence variables. Host byte order. */
struct tcphs_numbers {
	__u32	snd_nxt;
	__u32	snd_una;
	__u32	rcv_nxt;
	__u32	write_seq;	/* Linux: next byte to be queued; at
				 * -> FIN_WAIT1 and -> LAST_ACK the FIN's seq
				 */
	__u32	iss;		/* initial send sequence number */
	__u32	irs;		/* initial receive sequence number */
};

/* At CLOSE -> SYN_SENT, CLOSE -> LISTEN, LISTEN -> SYN_RECV no number exists. */
struct tcphs_birth {
	__u64	cgroup;		/* cgroup v2 id of the socket; 0 unknown */
	__u32	mark;		/* SO_MARK */
	__u32	backlog;	/* LISTEN: the accept queue's limit */
	__u32	__pad[2];
} TCPHS_PACKED;

/* via request: the listening socket's queues at that moment. */
struct tcphs_queues {
	__u64	listener;	/* its `sock` */
	__u32	drops;		/* SYNs and third ACKs refused so far */
	__u16	syns;		/* half-open connections, up to 65535 */
	__u16	accepts;	/* waiting for accept(), up to 65535 */
} TCPHS_PACKED;

/*
 * pid and comm are those of the process on whose behalf the event happened:
 * connect(), listen(), close(), shutdown(), or a read or write that worked off
 * the socket's backlog. An event in a softirq has none (never the bystander
 * whom the softirq interrupted).
 */
struct tcphs_transition {
	__u8	old;		/* TCPHS_CLOSE ...; old == new happens */
	__u8	new;
	__u8	via;
	__u8	has;
	union {
		struct tcphs_numbers	nr;
		struct tcphs_birth	birth;
	};
	__u32	pid;		/* thread group id, initial pid namespace */
	__u32	uid;		/* of the socket, initial user namespace; or
				 * TCPHS_UID_UNKNOWN
				 */
	union {
		char	comm[16];	/* NUL-terminated */
		struct tcphs_queues queues; /* via request */
	};
	/* The rest at -> CLOSE only, else zero. */
	__u16	error;		/* sk_err: ETIMEDOUT, ECONNRESET ... or 0 */
	__u8	fact;		/* TCPHS_FACT_* */
	__u8	timeouts;	/* retransmission time-outs in a row */
	__u32	unread;		/* bytes received but not read by the process */
};

/*
 * tcphs_segment.mark
 *
 * OUT: sent (LOCAL_OUT), else received (LOCAL_IN). RETRANSMIT is said of sent
 * ones only. COOKIE: a SYN,ACK whose number is a SYN cookie. MINI: the local
 * end is a request or TIME_WAIT mini-socket. NO_SOCKET: sent for no connection,
 * out of a control socket (RST, ACK) or a process's raw socket. ACCEPT_FULL:
 * received by a listener, or a request of it, whose accept queue was full: TCP
 * drops what would have been added to it. PROBE: a pure ACK that repeats the
 * number before the next (keep-alive or window probe). ANSWER: a pure ACK that a
 * probe, or a SYN or RST out of place (RFC 5961), called for; as a hint, since any
 * ACK may be the answer.
 */
#define TCPHS_SEG_OUT		(1 << 0)
#define TCPHS_SEG_RETRANSMIT	(1 << 1)
#define TCPHS_SEG_COOKIE	(1 << 2)
#define TCPHS_SEG_MINI		(1 << 3)
#define TCPHS_SEG_NO_SOCKET	(1 << 4)
#define TCPHS_SEG_ACCEPT_FULL	(1 << 5)
#define TCPHS_SEG_PROBE		(1 << 6)
#define TCPHS_SEG_ANSWER	(1 << 7)

struct tcphs_segment {
	__u8	mark;		/* TCPHS_SEG_* */
	__u8	state;		/* of the local socket, or unknown */
	__u8	offset;		/* byte 12 of the header: data offset << 4, AE */
	__u8	flags;		/* byte 13: CWR ECE URG ACK PSH RST SYN FIN */
	__u32	seq;		/* host byte order, absolute */
	__u32	ack;
	__u32	len;		/* payload bytes; a GSO or GRO segment may have
				 * more than the path's MSS
				 */
	__u16	win;		/* as on the wire, not scaled */
	__u16	urg;
	__u8	options[40];	/* as on the wire: (offset >> 4) * 4 - 20 bytes */
};

/*
 * tcphs_transition.fact, tcphs_reset.fact: what was true of the socket then.
 */
#define TCPHS_FACT_LINGER	(1 << 0) /* SO_LINGER with time 0 is set */
#define TCPHS_FACT_PROCESS	(1 << 1) /* a process did it, in a system call */
#define TCPHS_FACT_DEAD		(1 << 2) /* no process has the socket any more */
#define TCPHS_FACT_REPLY	(1 << 3) /* the RST answers a segment */

/* No reason known; otherwise enum sk_rst_reason of the recording kernel. */
#define TCPHS_REASON_UNKNOWN	0xff

struct tcphs_reset {
	__u8	out;		/* 1: sent, 0: received */
	__u8	state;		/* of the socket at that moment */
	__u8	reason;
	__u8	has;		/* never TCPHS_HAS_BIRTH */
	__u32	unread;		/* bytes received but not read by the process */
	__u8	fact;		/* TCPHS_FACT_* */
	__u8	probes;		/* unanswered keep-alive or window probes */
	__u16	error;		/* sk_err: ETIMEDOUT, ECONNABORTED, ... */
	struct tcphs_numbers nr;
	__u32	pid;
	__u32	uid;
	char	comm[16];
};

struct tcphs_destroy {
	__u32	retransmits;	/* segments sent again in the whole life */
	__u64	bytes_sent;	/* payload, with retransmissions */
	__u64	bytes_acked;	/* sequence space: SYN and FIN count */
	__u64	bytes_received;	/* sequence space: FIN counts */
	__u32	segs_in;
	__u32	segs_out;
	__u32	data_segs_in;
	__u32	data_segs_out;
	__u32	drops;		/* a listener's: segments refused */
	__u32	rtt_us;		/* smoothed; 0 unknown */
	__u32	min_rtt_us;
	__u32	bytes_retrans;	/* payload sent again, modulo 2^32 */
} TCPHS_PACKED;

/*
 * Where a gap is. It lies on the CPU `cpu` between the times `since` and `until`
 * and begins with record number `n`. The record comes as soon as the gap is
 * known, before the other CPUs' records of that time, and has their beginning
 * in `ts`. In a stream of one network namespace alone `count` is not told, the gap
 * begins with the last record that was delivered, and `until` is rounded up to 10 ms:
 * it is a CPU's, and what others do is not to be told.
 */
struct tcphs_lost {
	__u32	__pad;
	__u64	count;
	__u64	since;		/* last record before the gap; 0: from the start */
	__u64	until;		/* first record behind it; 0: that is ts */
	__u8	__reserved[32];
} TCPHS_PACKED;

struct tcphs_accept {
	__u8	state;
	__u8	__pad[3];
	__u64	cgroup;
	__u64	listener;	/* sock of the listening socket; 0 unknown */
	__u32	mark;
	__u32	__pad2[3];
	__u32	pid;
	__u32	uid;
	char	comm[16];
} TCPHS_PACKED;

struct tcphs_record {
	__u64	ts;		/* CLOCK_MONOTONIC, ns; up to 0.2 us behind,
				 * 10 while NTP works an offset off
				 */
	__u64	n;		/* this CPU's sequence number */
	__u64	sock;		/* keyed hash of the socket's address; 0 unknown */
	__u32	netns;		/* inode of the network namespace */
	__u16	cpu;
	__u8	kind;
	__u8	flags;		/* TCPHS_INET6 ... */
	__u8	saddr[16];	/* local end; IPv4 in the first 4 bytes */
	__u8	daddr[16];	/* remote end */
	__u16	sport;		/* host byte order */
	__u16	dport;
	union {
		struct tcphs_transition	transition;
		struct tcphs_segment	segment;
		struct tcphs_reset	reset;
		struct tcphs_destroy	destroy;
		struct tcphs_lost	lost;
		struct tcphs_accept	accept;
		__u8			payload[60];
	};
} __attribute__((aligned(8)));

#define TCPHS_HEADER_SIZE	256
#define TCPHS_RECORD_SIZE	128

_Static_assert(sizeof(struct tcphs_header) == TCPHS_HEADER_SIZE, "header");
_Static_assert(sizeof(struct tcphs_record) == TCPHS_RECORD_SIZE, "record");

#endif /* _UAPI_TCPHS_H */
