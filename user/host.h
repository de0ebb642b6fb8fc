/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_HOST_H
#define TCPHS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

#include "align.h"

/*
 * The hosts whose records are read together. Namespace numbers repeat from host
 * to host, so that with several of them the records have in `netns` the number
 * of a place instead: one namespace on one host. Places of one host have their
 * upper bits in common, and TCPHS_LOST has a place of its host. Pure.
 */
#define TCPHS_HOST_SHIFT 20
#define TCPHS_HOST_MAX 4000

struct tcphs_host {
	char name[64];		/* printable ASCII; "" unknown */
	char boot[37];		/* the boot's UUID; "" unknown */
	char release[64];	/* the kernel's, printable ASCII; "" unknown */
	uint64_t session;	/* of the module; 0: several, or unknown */
	uint64_t key;		/* names of sockets are changed by it; 0 as they were */
	uint64_t complete;	/* as tcphs_header.complete, of all its streams */
	uint8_t segments;	/* TCPHS_SEGMENTS_* */
	uint32_t missing;	/* TCPHS_MISSING_* */
	int64_t wall_offset;	/* CLOCK_REALTIME minus the host's own clock */
	uint64_t begun;		/* several hosts: times between which its records */
	uint64_t last;		/* ... lie, on the common clock */
	struct tcphs_align_clock clock;
};

struct tcphs_place;

/* Times [since, until) of hosts->host[host], on the common clock. */
struct tcphs_doubt {
	size_t host;
	uint64_t since;
	uint64_t until;
};

struct tcphs_hosts {
	struct tcphs_host *host;
	size_t count;
	struct tcphs_align *align;	/* several hosts */
	uint64_t shift;			/* added to all times, so that none is below 1 */
	struct tcphs_place *place;
	size_t places;
	size_t room;
	struct tcphs_doubt *doubt;	/* see tcphs_host_doubtful() */
	size_t doubts;
	size_t doubts_room;
};

/* Two places on different hosts, where there are several. 0 is everywhere. */
static inline bool tcphs_host_differs(uint32_t a, uint32_t b)
{
	return a && b && (a ^ b) >> TCPHS_HOST_SHIFT;
}

/* What the header of a stream says of its host. */
void tcphs_host_set(struct tcphs_host *host, const struct tcphs_header *h);

/*
 * Both streams are of one boot of one machine, and so have one clock. Without a
 * boot's UUID the module's session tells, or the host's name with equal clocks.
 */
bool tcphs_host_same(const struct tcphs_header *a, const struct tcphs_header *b);

/* The time of hosts->host[host] on the common clock; 0 stays 0: unknown. */
uint64_t tcphs_host_time(const struct tcphs_hosts *hosts, size_t host, uint64_t ts);

/* Added to the times that are told it makes CLOCK_REALTIME; 0 unknown. */
int64_t tcphs_host_wall(const struct tcphs_hosts *hosts);

/* The place of this namespace on hosts->host[host]. */
uint32_t tcphs_host_place(struct tcphs_hosts *hosts, size_t host, uint32_t netns);

/* Of a place: its host, NULL unknown; its namespace's number. `hosts` may be NULL. */
const struct tcphs_host *tcphs_host_of(const struct tcphs_hosts *hosts, uint32_t place);
uint32_t tcphs_host_netns(const struct tcphs_hosts *hosts, uint32_t place);

/* hosts->host[host] has such times, by its own clock. */
void tcphs_host_doubt(struct tcphs_hosts *hosts, size_t host, uint64_t since,
		      uint64_t until);

/*
 * At this time and place records may be lost of which the stream tells only later:
 * tcphs_header.complete. `hosts` may be NULL.
 */
bool tcphs_host_is_doubtful(const struct tcphs_hosts *hosts, uint32_t place, uint64_t ts);

/* Mostly there is no such time. */
static inline bool tcphs_host_doubtful(const struct tcphs_hosts *hosts, uint32_t place,
				       uint64_t ts)
{
	return hosts && hosts->doubts && tcphs_host_is_doubtful(hosts, place, ts);
}

/* Change the names of sockets in *r; doing it again undoes it, and 0 does nothing. */
void tcphs_host_rename(struct tcphs_record *r, uint64_t key);

/* There are several. */
bool tcphs_host_several(const struct tcphs_hosts *hosts);

/* How far apart the times of two hosts may be, ns; UINT64_MAX unknown. */
uint64_t tcphs_host_error(const struct tcphs_hosts *hosts, const struct tcphs_host *a,
			  const struct tcphs_host *b);

/*
 * How the clock of host `i` was compared, as text: "beta: + 12.345678 s, off by
 * at most 8.5 us (24 segments)". Returns `text`.
 */
#define TCPHS_HOST_TEXT 256
char *tcphs_host_text(const struct tcphs_hosts *hosts, size_t i, char text[TCPHS_HOST_TEXT]);

void tcphs_host_free(struct tcphs_hosts *hosts);

#endif
