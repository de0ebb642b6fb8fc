/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_SCENE_H
#define TCPHS_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <tcphs.h>

/*
 * Records as text, so that a test can be read. Times are microseconds, numbers
 * are relative to the ISNs, "=N" is a number as it is.
 *
 *	segments none|handshake|all	what the module was loaded with
 *	loaded US			since when it records (0)
 *	missing BITS			header.missing
 *	end NAME LOCAL:PORT REMOTE:PORT [netns N] [sock N] [isn N] [peer N] [mapped]
 *	US NAME OLD>NEW [via request|timewait] [by PID COMM] [noport] [noremote]
 *		[iss] [irs] [snd_nxt N] [snd_una N] [rcv_nxt N] [write_seq N]
 *		[error NAME] [timeouts N] [unread N] [process] [dead] [backlog N]
 *		[listener N]
 *	US NAME out|in FLAGS [seq N] [ack N] [len N] [win N] [again] [cookie]
 *		[mini] [nosocket] [full] [probe] [answer] [state NAME] [opt HEX]
 *	US NAME reset out|in [state NAME] [unread N] [linger] [process]
 *		[dead] [reply] [probes N] [error NAME] [reason N]
 *	US NAME destroy [retransmits N] [sent N] [received N] [retrans N]
 *	US NAME accept PID COMM
 *	US lost CPU COUNT SINCE-US [UNTIL-US]
 *	connection N			the wants below are about the Nth
 *	want WHAT VALUE...
 *
 * Each record may have "sock N" (another name) and "cpu N". FLAGS are letters:
 * S F R P A U E C, or "-" for none.
 */
struct scene_want {
	unsigned int line;
	unsigned int connection;	/* from 1 */
	char *what;
	char *value;			/* words with single spaces */
};

struct scene {
	struct tcphs_header header;
	struct tcphs_record *record;
	size_t records;
	struct scene_want *want;
	size_t wants;
};

/* Exits with a message naming the line when the text is wrong. */
void scene_read(struct scene *s, const char *path);
void scene_free(struct scene *s);

#endif
