/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What may leave the kernel of a record.
 *
 * A record is written while a connection waits, and read seldom or never. So a
 * writer leaves in its slot what costs least: in `sock` the socket's address, IPv4
 * addresses and ports as a socket has them, a segment's addresses and TCP header as
 * they came, and beyond the options or for an unknown number whatever is there.
 * tcphs_seal_copy(), the only way out of a ring, makes of it what tcphs.h
 * promises.
 */
#ifndef _TCPHS_RECORD_H
#define _TCPHS_RECORD_H

#include <linux/types.h>
#include <tcphs.h>

/*
 * What a writer leaves of a segment, from saddr to the end: the headers' bytes as
 * they came. `mark` and `state` are not of the header, they take the place of
 * the checksum.
 */
struct tcphs_raw_segment {
	__u8	addresses[32];	/* source and destination, IPv4 in 8 bytes */
	__u32	len;		/* payload bytes */
	union {
		__u8	header[60];
		struct {
			__u8	most[40];	/* a SYN's options are 20 bytes */
			__u8	rest[20];	/* copied if there is any */
		};
		struct {
			__be16	source;
			__be16	dest;
			__be32	seq;
			__be32	ack;
			__u8	offset;
			__u8	flags;
			__be16	win;
			union {
				__le16	both;	/* of these, in one */
				struct {
					__u8	mark;	/* TCPHS_SEG_* */
					__u8	state;
				};
			};
			__be16	urg;
			__u8	options[40];
		};
	};
};

/**
 * tcphs_record_raw() - where a writer leaves a segment
 * @record: a slot
 */
static inline struct tcphs_raw_segment *
tcphs_record_raw(struct tcphs_record *record)
{
	return (struct tcphs_raw_segment *)record->saddr;
}

#endif /* _TCPHS_RECORD_H */
