// SPDX-License-Identifier: GPL-2.0
/* The commands, and what --help says of them. */
#include <stdio.h>
#include <string.h>

#include <tcphs.h>

#include "help.h"

const struct tcphs_command tcphs_help_commands[] = {
	{
		.name = "timeline",
		.summary = "the ladder of each connection (the default)",
		.options = "rjSeawtcfndNs",
		.filter = true,
		.merges = true,
		.run = tcphs_timeline_run,
		.help =
"Draws every connection: the client on the left, the server on the right, the\n"
"states they enter, and between them each recorded segment with its numbers.\n"
"Above stand the verdicts: how it opened, how it closed, and whether the record\n"
"is complete, partial (it began before) or lossy. Times are milliseconds since\n"
"the first event, and since the row before.\n",
	},
	{
		.name = "live",
		.summary = "rows as things happen, until Ctrl-C",
		.options = "irjStcandNs",
		.filter = true,
		.merges = true,
		.lasts = true,
		.run = tcphs_live_run,
		.help =
"Each connection gets a number. Its states, segments and resets are told as they\n"
"happen, and how it opened and closed when it is over (at TIME_WAIT). What was\n"
"before is not told. -n COUNT stops after COUNT rows; Ctrl-C sums up.\n"
"-i is a view of the whole terminal: a list of connections, the ladder of each\n"
"by Enter, all keys by `?`; it begins with what the ring has.\n",
	},
	{
		.name = "list",
		.summary = "one row per connection",
		.options = "rjkwatcfndNs",
		.filter = true,
		.merges = true,
		.run = tcphs_list_run,
		.help =
"Ends, owners, how each connection opened and closed, how long its handshake\n"
"took (SYN to ESTABLISHED), and its state now; in 150 columns or a pipe also how\n"
"long it lasted, its bytes each way, and how many segments were sent again.\n"
"Listening sockets come last, and then a summary: opens and closes by kind, and\n"
"how the times of the handshakes are distributed.\n",
	},
	{
		.name = "events",
		.summary = "the records, one row each",
		.options = "rjSwtcfndNs",
		.filter = true,
		.merges = true,
		.run = tcphs_events_run,
		.help =
"Each state transition, segment and reset as the kernel told it, in the order of\n"
"time. \"A > B\" is sent by A, \"A < B\" received by A; A is always the local end.\n",
	},
	{
		.name = "record",
		.summary = "write the record stream to a file: record -o FILE",
		.options = "onrdsf",
		.lasts = true,
		.run = tcphs_record_run,
		.help =
"Writes what is in the ring, and then what comes, until Ctrl-C, -d or -n. The\n"
"file can be read on any machine, without the module: tcphs -r FILE timeline.\n",
	},
	{
		.name = "export",
		.summary = "packets, picture or diagram: export -o FILE",
		.options = "ornSNs",
		.filter = true,
		.merges = true,
		.run = tcphs_export_run,
		.help =
"Writes connections to a file, in the format that its name ends in:\n"
"  .pcapng  the recorded segments as packets, for Wireshark: headers without\n"
"           payload, with states and owners as packet comments\n"
"  .svg     the ladder as a picture; .png the same in pixels\n"
"  .mmd     a Mermaid sequence diagram\n"
"Of pictures and diagrams the first 20 connections, of a diagram no more than\n"
"Mermaid draws (50,000 characters); -n says another number.\n",
	},
	{
		.name = "stats",
		.summary = "counters of the module, and of listening sockets",
		.options = "rjpo",
		.run = tcphs_stats_run,
		.help =
"Prints /proc/tcphs/stats: records written, overwritten and filtered, what the\n"
"module is attached to, and what this kernel does not let it see. Then a line for\n"
"each listening socket of the records: SYNs, SYN cookies, and what was dropped.\n"
"With -r what a recording has. --prometheus is for node_exporter's textfile\n"
"collector: -o FILE is replaced at once.\n",
	},
	{ .name = NULL },
};

static const struct {
	char key;
	const char *text;
} options[] = {
	{ 'r', "  -r, --read=FILE     read a recording, or records as JSON (- is standard input)\n" },
	{ 'R', "                      several -r: as if one machine had recorded them\n" },
	{ 'o', "  -o, --output=FILE   write to FILE (record, stats: - is standard output)\n" },
	{ 'j', "      --json          one JSON object per line\n" },
	{ 'p', "      --prometheus    stats: in the text format for Prometheus\n" },
	{ 'S', "  -S, --absolute      sequence numbers as on the wire, not relative\n" },
	{ 't', "  -t, --times         no times; -tt: seconds since 1970; -ttt: since the row\n"
	       "                      before; -tttt: date and time; -ttttt: since the first\n" },
	{ 'f', "  -f, --follow        go on with what happens from now on\n" },
	{ 'i', "  -i, --interactive   live: the whole terminal; ? helps\n" },
	{ 'n', "  -n, --count=COUNT   stop after COUNT\n" },
	{ 'd', "  -d, --duration=SEC  with -f, live or record: stop after SEC seconds\n" },
	{ 'N', "      --netns=ID      only this network namespace (readlink /proc/self/ns/net)\n" },
	{ 's', "      --strict        exit status 4 when records were lost\n" },
	{ 'e', "      --explain       say what each step means, and why the verdicts are so\n" },
	{ 'k', "      --sort=KEY      by start, open, close, handshake, duration, bytes,\n"
	       "                      retransmits, client or server; -KEY reverses\n" },
	{ 'w', "      --owner         each socket's user, cgroup, mark and network namespace\n" },
	{ 'a', "      --ascii         no box-drawing characters\n" },
	{ 'c', "      --color=WHEN    auto, always or never\n" },
};

const struct tcphs_command *tcphs_help_find(const char *name)
{
	const struct tcphs_command *c;

	for (c = tcphs_help_commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

void tcphs_help_print(const struct tcphs_command *command)
{
	const struct tcphs_command *c;
	size_t i;

	if (command) {
		printf("Usage: tcphs [OPTION...] %s%s\n\n%s\n", command->name,
		       command->filter ? " [FILTER]" : "", command->help);
	} else {
		fputs("Usage: tcphs [OPTION...] [COMMAND [FILTER]]\n"
		      "TCP handshakes of this machine, as recorded by the module tcphs.\n\n"
		      "Commands:\n", stdout);
		for (c = tcphs_help_commands; c->name; c++)
			printf("  %-20s%s\n", c->name, c->summary);
		fputs("\n`tcphs COMMAND --help` says more.\n\n", stdout);
	}
	fputs("Options:\n", stdout);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!command || (options[i].key == 'R' ? command->merges :
				 strchr(command->options, options[i].key) != NULL))
			fputs(options[i].text, stdout);
	fputs("  -h, --help          this text\n"
	      "      --usage         the same\n"
	      "  -V, --version       the version\n", stdout);
	if (!command || command->filter)
		fputs("\nFILTER is a pcap-filter(7) expression on addresses and ports, such as\n"
		      "`port 80` or `net 10.9.0.0/16 and not port 22`.\n", stdout);
	fputs("\nExit status: 0 done, 1 failed, 2 usage, 3 no module or no permission,\n"
	      "4 with --strict: records were lost.\n", stdout);
}

const char *tcphs_help_name(void)
{
	return "tcphs " TCPHS_VERSION;
}

void tcphs_help_version(void)
{
	printf("%s, record format %d.%d\n", tcphs_help_name(), TCPHS_ABI_MAJOR,
	       TCPHS_ABI_MINOR);
}
