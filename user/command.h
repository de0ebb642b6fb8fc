/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_COMMAND_H
#define TCPHS_COMMAND_H

#include "settings.h"

/* One command: `tcphs NAME`. `run` returns the exit status. */
struct tcphs_command {
	const char *name;
	const char *summary;	/* one line of the list of commands */
	const char *options;	/* letters of the options that it takes, see help.c */
	const char *help;	/* some lines for `tcphs NAME --help` */
	bool filter;		/* takes a FILTER */
	bool merges;		/* takes several -r */
	bool lasts;		/* goes on without -f, too */
	int (*run)(const struct tcphs_settings *s);
};

int tcphs_timeline_run(const struct tcphs_settings *s);
int tcphs_events_run(const struct tcphs_settings *s);
int tcphs_live_run(const struct tcphs_settings *s);
int tcphs_list_run(const struct tcphs_settings *s);
int tcphs_stats_run(const struct tcphs_settings *s);
int tcphs_record_run(const struct tcphs_settings *s);
int tcphs_export_run(const struct tcphs_settings *s);

#endif
