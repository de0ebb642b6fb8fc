/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_CONNECTION_H
#define TCPHS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

#include "flow.h"
#include "host.h"

/*
 * A connection as it is told: two sides with their states, and the steps
 * between them. Made from one or two ends (flow.h). Pure.
 */

enum {
	TCPHS_CLIENT = 0,	/* the side that sent the first SYN */
	TCPHS_SERVER = 1,
};

/* A state and the time at which it was entered; ts 0: not seen. */
struct tcphs_stay {
	uint64_t ts;
	uint8_t state;
	uint8_t via;		/* TCPHS_VIA_*; 0 for the state before all */
};

/* How a socket's life ended, as the kernel told it at the real -> CLOSE. */
struct tcphs_fate {
	bool known;
	bool process;		/* a process did it, in a system call */
	bool dead;		/* no process had it any more */
	uint8_t old;		/* the state before */
	uint8_t timeouts;	/* retransmission time-outs in a row */
	uint16_t error;		/* sk_err */
	uint64_t ts;
};

/* A RST that this side's socket sent or got. */
struct tcphs_rst {
	bool known;
	uint8_t state;		/* of the socket at that moment */
	uint8_t reason;		/* TCPHS_REASON_UNKNOWN, or enum sk_rst_reason */
	uint8_t fact;		/* TCPHS_FACT_* */
	uint8_t probes;
	uint16_t error;
	uint32_t unread;
	uint64_t ts;
};

struct tcphs_side {
	uint8_t address[16];
	uint16_t port;		/* 0: never told */
	bool inet6;
	bool mapped;		/* IPv4 on an AF_INET6 socket */
	bool seen;		/* segments were recorded at this side */
	bool socket;		/* it has a socket on this machine: states */
	bool closed;		/* ... that is gone, TIME_WAIT included */
	bool born;		/* its beginning was seen */
	bool cookie;		/* the server's SYN,ACK was a SYN cookie */
	bool isn_known;
	bool fin_known;		/* the number of its FIN */
	bool bytes_known;
	bool retransmits_known;	/* from DESTROY */
	uint32_t isn;
	uint32_t fin;
	uint32_t netns;		/* 0: unknown */
	const struct tcphs_host *host;	/* NULL: unknown; valid as long as the input */
	uint64_t bytes;		/* payload it sent, without retransmissions */
	uint64_t retransmits;	/* segments of all kinds that it sent again */
	uint64_t cgroup;	/* 0: unknown */
	uint32_t uid;		/* the socket's; TCPHS_UID_UNKNOWN */
	uint32_t mark;		/* SO_MARK at its birth, or at accept() */
	bool mark_known;
	struct tcphs_owner owner;
	struct tcphs_owner closer;	/* known only when another process closed */
	struct tcphs_before before;	/* the same port pair's last numbers */
	struct tcphs_fate fate;
	struct tcphs_rst rst_sent;	/* the first of each that ends a socket */
	struct tcphs_rst rst_got;
	bool half_known;		/* numbers when the other side's FIN came: */
	uint32_t half_sent;		/* ... sent up to here */
	bool half_got_known;		/* numbers when our FIN was acknowledged: */
	uint32_t half_got;		/* ... received up to here */
	struct tcphs_stay *states;	/* [0] is what was before the first event */
	size_t nstates;
};

enum tcphs_step_kind {
	TCPHS_STEP_SEGMENT,
	TCPHS_STEP_STATE,	/* a state changed, and no segment did it */
	TCPHS_STEP_RESET,	/* a RST of which only the socket told */
	TCPHS_STEP_GAP,		/* records were lost */
};

/* States that a step brought about at one side: a range of side->states. */
struct tcphs_entered {
	uint32_t begin;
	uint32_t count;
};

struct tcphs_step {
	enum tcphs_step_kind kind;
	uint8_t from;		/* TCPHS_CLIENT, TCPHS_SERVER */
	bool retransmit;
	bool lost;		/* sent, and never came to the other side */
	bool foreign;		/* not sent by that side's socket */
	bool again;		/* came a second time */
	bool alike;		/* what came has the window and options of what left */
	uint64_t ts;		/* where it stands: sent, else (or if earlier: slack)
				 * received; 0 unseen
				 */
	size_t made;		/* the order in which steps were made */
	uint64_t sent;		/* 0: not seen */
	uint64_t received;	/* 0: not seen */
	struct tcphs_segment segment;
	struct tcphs_entered entered[2];
	uint8_t after[2];	/* states after the step; UNKNOWN without socket */
	char *note;		/* what to know of it; NULL nothing */
};

/* When it left, on its sender's clock; where that was not seen, when it came. */
static inline uint64_t tcphs_connection_left(const struct tcphs_step *step)
{
	return step->sent ? step->sent : step->ts;
}

enum tcphs_open {
	TCPHS_OPEN_THREE_WAY,
	TCPHS_OPEN_SIMULTANEOUS,
	TCPHS_OPEN_FAST_OPEN,
	TCPHS_OPEN_SYN_COOKIE,
	TCPHS_OPEN_REFUSED,
	TCPHS_OPEN_TIMED_OUT,
	TCPHS_OPEN_RESET,
	TCPHS_OPEN_HALF_OPEN,
	TCPHS_OPEN_UNSEEN,
};

enum tcphs_close {
	TCPHS_CLOSE_NONE,	/* it never opened */
	TCPHS_CLOSE_FOUR_WAY,
	TCPHS_CLOSE_THREE_SEGMENT,
	TCPHS_CLOSE_HALF_CLOSE,
	TCPHS_CLOSE_SIMULTANEOUS,
	TCPHS_CLOSE_RESET_BY_CLIENT,
	TCPHS_CLOSE_RESET_BY_SERVER,
	TCPHS_CLOSE_TIMED_OUT,
	TCPHS_CLOSE_OPEN,	/* not closed yet */
	TCPHS_CLOSE_UNSEEN,
};

enum tcphs_whole {
	TCPHS_WHOLE_COMPLETE,
	TCPHS_WHOLE_PARTIAL,	/* began before the records do */
	TCPHS_WHOLE_LOSSY,	/* records were lost while it lived */
};

enum tcphs_copies {
	TCPHS_COPIES_SYN,
	TCPHS_COPIES_SYNACK,
	TCPHS_COPIES_FIN,
	TCPHS_COPIES_DATA,
	TCPHS_COPIES_KINDS,
};

struct tcphs_connection {
	struct tcphs_side side[2];
	struct tcphs_step *steps;
	size_t nsteps;
	size_t room;		/* for steps, at the least */
	bool itself;		/* a socket connected to itself: both sides */
	bool assumed;		/* nothing tells which side is the client */
	bool segments;		/* segments were recorded */
	bool all;		/* ... those with data too */
	bool hosts;		/* of several hosts: side[].host tells which */
	int64_t wall_offset;	/* added to times: CLOCK_REALTIME; 0 unknown */
	uint64_t clock_error;	/* between the sides' times, ns; UINT64_MAX unknown */
	uint64_t slack;		/* a clock ran unevenly: what came may be told so much
				 * before it was sent, ns; 0: nothing is
				 */
	enum tcphs_whole whole;
	enum tcphs_open open;
	enum tcphs_close close;
	const char *open_rule;	/* why: a sentence of rule.c */
	const char *close_rule;
	bool doubtful;		/* lossy, and a socket was not heard of since */
	uint64_t intact;	/* lossy: up to when no record is missing; 0 unknown */
	uint64_t start;		/* ts of the first event */
	uint64_t began;		/* ts of the SYN, or of what there was instead; 0 unseen */
	uint64_t opened;	/* SYN to ESTABLISHED took so long; 0 unknown */
	uint64_t established;	/* ts of ESTABLISHED; 0 never or unseen */
	uint64_t ended;		/* ts at which it was closed; 0 not or unseen */
	bool half_bytes_known;
	uint64_t half_bytes;	/* sent by one side after the other's FIN; not known: at least */
	int64_t copies[TCPHS_COPIES_KINDS];	/* beyond the first; -1 unknown */
};

/* What the stream says of itself. */
struct tcphs_context {
	uint8_t segments;	/* TCPHS_SEGMENTS_* */
	uint32_t missing;	/* TCPHS_MISSING_* */
	uint64_t since;		/* ts at which recording began; 0 unknown, or several hosts */
	uint64_t last;		/* ts of the last record read */
	bool brief;		/* verdicts only: no steps but segments and resets, bare */
	const struct tcphs_hosts *hosts;	/* NULL: nobody knows of them */
};

/* What a stream's header says, and of which hosts it is. The rest of *x stays. */
void tcphs_connection_context(struct tcphs_context *x, const struct tcphs_header *h,
			      const struct tcphs_hosts *hosts);

/* Tell the connection of `a` and, unless NULL, `b`. */
struct tcphs_connection *tcphs_connection_new(const struct tcphs_context *x,
					      const struct tcphs_end *a,
					      const struct tcphs_end *b);

void tcphs_connection_free(struct tcphs_connection *c);

/*
 * Which side the end `a` is, with or without its peer `b`: TCPHS_CLIENT or
 * TCPHS_SERVER. Sets *assumed when nothing that was seen tells.
 */
unsigned int tcphs_connection_side(const struct tcphs_end *a, const struct tcphs_end *b,
				   bool *assumed);

/* SYN to the end, ns; false: not both were seen. */
bool tcphs_connection_lasted(const struct tcphs_connection *c, uint64_t *ns);

/* The state of a side at `ts`; TCPHS_STATE_UNKNOWN without socket. */
unsigned int tcphs_connection_state(const struct tcphs_side *s, uint64_t ts);

/* A side came into `state` at least once: when; NULL never. */
const struct tcphs_stay *tcphs_connection_stay(const struct tcphs_side *s,
					       unsigned int state);

#endif
