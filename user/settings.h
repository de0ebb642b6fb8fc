/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_SETTINGS_H
#define TCPHS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tcphs_filter;

enum tcphs_color {
	TCPHS_COLOR_AUTO,
	TCPHS_COLOR_ALWAYS,
	TCPHS_COLOR_NEVER,
};

/* -t, -tt, ...: what tcpdump's mean. */
enum tcphs_times {
	TCPHS_TIMES_DEFAULT,
	TCPHS_TIMES_NONE,
	TCPHS_TIMES_EPOCH,
	TCPHS_TIMES_DELTA,
	TCPHS_TIMES_DATE,
	TCPHS_TIMES_SINCE,
	TCPHS_TIMES_MAX = TCPHS_TIMES_SINCE,
};

/* What the command line asks for. */
struct tcphs_settings {
	const char **files;		/* -r */
	size_t nfiles;
	const char *output;		/* -o; NULL not given */
	const struct tcphs_filter *filter;
	const char *expression;		/* its text; NULL: no filter */
	enum tcphs_color color;
	enum tcphs_times times;
	unsigned int order;		/* --sort: enum tcphs_order_key; 0 none */
	bool reverse;			/* ... from its end */
	bool json;
	bool prometheus;
	bool absolute;			/* -S */
	bool ascii;
	bool explain;
	bool owner;
	bool follow;
	bool interactive;		/* -i */
	bool strict;
	uint64_t count;			/* -n; 0 all */
	double seconds;			/* -d; 0 no limit */
	uint32_t netns;			/* 0 every one */
};

#endif
