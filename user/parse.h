/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_PARSE_H
#define TCPHS_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs.h>

/*
 * A record as JSON, as json.c writes it and as an engine gives it back: 64-bit
 * numbers as text, truth as 0 and 1, arrays and objects as text. Pure.
 */
struct tcphs_parsed {
	struct tcphs_record record;
	struct tcphs_header header;	/* what it says of its stream */
	bool session_known;
	bool segments_known;
	bool wall_known;
	bool complete_known;
	bool strange;			/* it has a member that is unknown here */
	char name[64];			/* ... its name, for a message */
	char wrong[160];		/* what is wrong with it, for a message */
};

enum tcphs_parse_result {
	TCPHS_PARSE_RECORD,
	TCPHS_PARSE_NONE,		/* nothing to be told: the line of a host */
	TCPHS_PARSE_WRONG,
};

enum tcphs_parse_result tcphs_parse_line(const char *line, size_t size,
					 struct tcphs_parsed *to);

/* These are the first bytes of JSON, not of a recording. */
bool tcphs_parse_begins(const uint8_t *bytes, size_t size);

#endif
