// SPDX-License-Identifier: GPL-2.0
/* The command line; what is done is in one file per command. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "help.h"
#include "memory.h"
#include "message.h"
#include "order.h"
#include "output.h"

enum {
	KEY_JSON = 0x100,
	KEY_PROMETHEUS,
	KEY_NETNS,
	KEY_STRICT,
	KEY_ASCII,
	KEY_EXPLAIN,
	KEY_OWNER,
	KEY_SORT,
	KEY_COLOR,
	KEY_HELP = 'h',
	KEY_VERSION = 'V',
};

static const struct argp_option options[] = {
	{ "read", 'r', "FILE", 0, NULL, 0 },
	{ "output", 'o', "FILE", 0, NULL, 0 },
	{ "json", KEY_JSON, NULL, 0, NULL, 0 },
	{ "prometheus", KEY_PROMETHEUS, NULL, 0, NULL, 0 },
	{ "absolute", 'S', NULL, 0, NULL, 0 },
	{ "times", 't', NULL, 0, NULL, 0 },
	{ "follow", 'f', NULL, 0, NULL, 0 },
	{ "interactive", 'i', NULL, 0, NULL, 0 },
	{ "count", 'n', "COUNT", 0, NULL, 0 },
	{ "duration", 'd', "SECONDS", 0, NULL, 0 },
	{ "netns", KEY_NETNS, "ID", 0, NULL, 0 },
	{ "strict", KEY_STRICT, NULL, 0, NULL, 0 },
	{ "explain", KEY_EXPLAIN, NULL, 0, NULL, 0 },
	{ "owner", KEY_OWNER, NULL, 0, NULL, 0 },
	{ "sort", KEY_SORT, "KEY", 0, NULL, 0 },
	{ "ascii", KEY_ASCII, NULL, 0, NULL, 0 },
	{ "color", KEY_COLOR, "WHEN", 0, NULL, 0 },
	{ "help", KEY_HELP, NULL, 0, NULL, 0 },
	{ "version", KEY_VERSION, NULL, 0, NULL, 0 },
	/* argp's own messages point to it. */
	{ "usage", KEY_HELP, NULL, 0, NULL, 0 },
	{ 0 },
};

struct line {
	struct tcphs_settings settings;
	const struct tcphs_command *command;
	char *filter;		/* the words of FILTER, joined */
	size_t room;
	char given[32];		/* option letters as in help.c */
	bool help;
	bool version;
};

static int usage(const char *format, const char *what)
{
	tcphs_message_print(format, what);
	return EINVAL;
}

/* A whole number above 0 of at most `max`. */
static int whole(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno || !*number || *number > max ?
		EINVAL : 0;
}

static void add_word(struct line *line, const char *word)
{
	size_t used = line->filter ? strlen(line->filter) : 0;
	size_t size = used + strlen(word) + 2;
	char *joined = tcphs_memory_get(1, size);

	snprintf(joined, size, "%s%s%s", used ? line->filter : "", used ? " " : "", word);
	free(line->filter);
	line->filter = joined;
}

static int set_color(struct tcphs_settings *s, const char *when)
{
	if (!strcmp(when, "auto"))
		s->color = TCPHS_COLOR_AUTO;
	else if (!strcmp(when, "always"))
		s->color = TCPHS_COLOR_ALWAYS;
	else if (!strcmp(when, "never"))
		s->color = TCPHS_COLOR_NEVER;
	else
		return usage("--color=%s: use auto, always or never", when);
	return 0;
}

/* An option's letter in help.c. */
static char letter(int key)
{
	switch (key) {
	case KEY_JSON:
		return 'j';
	case KEY_PROMETHEUS:
		return 'p';
	case KEY_NETNS:
		return 'N';
	case KEY_STRICT:
		return 's';
	case KEY_ASCII:
		return 'a';
	case KEY_EXPLAIN:
		return 'e';
	case KEY_SORT:
		return 'k';
	case KEY_OWNER:
		return 'w';
	case KEY_COLOR:
		return 'c';
	}
	return key < 0x80 ? key : '\0';
}

static int parse(int key, char *arg, struct argp_state *state)
{
	struct line *line = state->input;
	struct tcphs_settings *s = &line->settings;
	uint64_t number;
	char *end;

	if (key > 0 && key <= KEY_COLOR && letter(key) && !strchr(line->given, letter(key)))
		line->given[strlen(line->given)] = letter(key);
	switch (key) {
	case 'r':
		s->files = reallocarray(s->files, s->nfiles + 1, sizeof(*s->files));
		if (!s->files)
			tcphs_memory_fail();
		s->files[s->nfiles++] = arg;
		break;
	case 'o':
		s->output = arg;
		break;
	case KEY_JSON:
		s->json = true;
		break;
	case KEY_PROMETHEUS:
		s->prometheus = true;
		break;
	case 'S':
		s->absolute = true;
		break;
	case 't':
		if (s->times == TCPHS_TIMES_MAX)
			return usage("%s: -t comes five times at most", "-tttttt");
		s->times++;
		break;
	case 'f':
		s->follow = true;
		break;
	case 'i':
		s->interactive = true;
		break;
	case 'n':
		if (whole(arg, UINT64_MAX, &s->count))
			return usage("-n %s: not a number above 0 and below 2^64", arg);
		break;
	case 'd':
		s->seconds = strtod(arg, &end);
		if (*end || !(s->seconds > 0) || s->seconds > 1e9)
			return usage("-d %s: not a number of seconds above 0, up to 1e9", arg);
		break;
	case KEY_NETNS:
		if (whole(arg, UINT32_MAX, &number))
			return usage("--netns=%s: not a namespace's number: see readlink /proc/self/ns/net",
				     arg);
		s->netns = number;
		break;
	case KEY_STRICT:
		s->strict = true;
		break;
	case KEY_ASCII:
		s->ascii = true;
		break;
	case KEY_EXPLAIN:
		s->explain = true;
		break;
	case KEY_OWNER:
		s->owner = true;
		break;
	case KEY_SORT:
		s->reverse = *arg == '-';
		s->order = tcphs_order_find(arg + s->reverse);
		if (!s->order)
			return usage("--sort=%s: use one of " TCPHS_ORDER_NAMES
				     "; -KEY reverses", arg);
		break;
	case KEY_COLOR:
		return set_color(s, arg);
	case KEY_HELP:
		line->help = true;
		break;
	case KEY_VERSION:
		line->version = true;
		break;
	case ARGP_KEY_ARG:
		if (line->command) {
			add_word(line, arg);
			break;
		}
		line->command = tcphs_help_find(arg);
		if (!line->command)
			return usage("unknown command \"%s\": see tcphs --help", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Two readers of one stream would each have a part of it. */
static bool takes_input_twice(const struct tcphs_settings *s)
{
	bool taken = false;
	size_t i;

	for (i = 0; i < s->nfiles; i++) {
		if (strcmp(s->files[i], "-"))
			continue;
		if (taken)
			return true;
		taken = true;
	}
	return false;
}

/* What the command cannot do is said, not ignored. */
static int check(const struct line *line)
{
	const struct tcphs_settings *s = &line->settings;
	const char *given;
	char name[2] = "";

	for (given = line->given; *given; given++) {
		if (strchr(line->command->options, *given))
			continue;
		name[0] = *given;
		tcphs_message_print("%s does not take %s%s: see tcphs %s --help",
				    line->command->name,
				    *given == 'j' ? "--json" : *given == 'p' ? "--prometheus" :
				    *given == 'N' ? "--netns" :
				    *given == 's' ? "--strict" : *given == 'a' ? "--ascii" :
				    *given == 'c' ? "--color" :
				    *given == 'w' ? "--owner" :
				    *given == 'k' ? "--sort" :
				    *given == 'e' ? "--explain" : "-",
				    strchr("jpNsacewk", *given) ? "" : name,
				    line->command->name);
		return TCPHS_EXIT_USAGE;
	}
	if (line->filter && !line->command->filter) {
		tcphs_message_print("%s takes no FILTER (\"%s\"): give it to what tells the records",
				    line->command->name, line->filter);
		return TCPHS_EXIT_USAGE;
	}
	if (s->nfiles > 1 && !line->command->merges) {
		tcphs_message_print("%s reads only one -r FILE: run it for each", line->command->name);
		return TCPHS_EXIT_USAGE;
	}
	if (takes_input_twice(s)) {
		tcphs_message_print("-r - can come once only: there is one standard input");
		return TCPHS_EXIT_USAGE;
	}
	if (s->seconds > 0 && !s->follow && !line->command->lasts) {
		tcphs_message_print("%s: -d goes with -f: without it the end is that of the records",
				    line->command->name);
		return TCPHS_EXIT_USAGE;
	}
	if (s->order && s->follow) {
		tcphs_message_print("--sort does not go with -f: the last row may be the first");
		return TCPHS_EXIT_USAGE;
	}
	if (s->nfiles > 1 && s->follow) {
		tcphs_message_print("-f does not go with several -r FILE: their clocks are compared first");
		return TCPHS_EXIT_USAGE;
	}
	return 0;
}

static int run(struct line *line)
{
	struct tcphs_filter *filter = NULL;
	int status;

	if (line->help) {
		tcphs_help_print(line->command);
		return tcphs_output_finish();
	}
	if (line->version) {
		tcphs_help_version();
		return tcphs_output_finish();
	}
	if (!line->command)
		line->command = tcphs_help_find("timeline");
	status = check(line);
	if (status)
		return status;
	if (line->filter) {
		filter = tcphs_filter_new(line->filter);
		if (!filter)
			return TCPHS_EXIT_USAGE;
		line->settings.filter = filter;
		line->settings.expression = line->filter;
	}
	status = line->command->run(&line->settings);
	tcphs_filter_free(filter);
	return status;
}

/*
 * No file may get the number of a standard stream that is closed: a recording
 * would be written into by a message.
 */
static void occupy_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct argp argp = { options, parse, NULL, NULL, NULL, NULL, NULL };
	char name[] = "tcphs";
	struct line line = { 0 };
	int status;

	occupy_streams();
	setlocale(LC_ALL, "");
	/* Numbers are written with a point, whatever the language. */
	setlocale(LC_NUMERIC, "C");
	/* A closed pipe is noticed by writing to it. */
	signal(SIGPIPE, SIG_IGN);
	/* And so is a file that may not grow any more. */
	signal(SIGXFSZ, SIG_IGN);
	argp_err_exit_status = TCPHS_EXIT_USAGE;
	/* argp's messages begin as ours do. */
	if (argc > 0)
		argv[0] = name;
	status = argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, &line);
	status = status ? TCPHS_EXIT_USAGE : run(&line);
	free(line.filter);
	free(line.settings.files);
	return status;
}
