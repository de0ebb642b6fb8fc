// SPDX-License-Identifier: GPL-2.0
/* `tcphs stats`: /proc/tcphs/stats, lines of "name value". */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "message.h"
#include "output.h"

#define STATS "/proc/tcphs/stats"

/* A number where the value is one, else text. */
static json_t *value(const char *text)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (*text && !*end && !errno)
		return json_integer(number);
	return json_string(text);
}

int tcphs_stats_run(const struct tcphs_settings *s)
{
	json_t *object = s->json ? json_object() : NULL;
	char *line = NULL, *space;
	size_t room = 0;
	ssize_t len;
	int error;
	FILE *f;

	f = fopen(STATS, "re");
	if (!f) {
		error = errno;
		json_decref(object);
		if (error == ENOENT)
			tcphs_message_print(STATS
				": the module is not loaded: sudo insmod tcphs.ko (or sudo modprobe tcphs)");
		else if (error == EACCES || error == EPERM)
			tcphs_message_print(STATS ": permission denied: use sudo");
		else
			tcphs_message_print(STATS ": %s", strerror(error));
		return error == ENOENT || error == EACCES || error == EPERM ?
			TCPHS_EXIT_ACCESS : TCPHS_EXIT_FAILED;
	}
	while ((len = getline(&line, &room, f)) > 0) {
		if (!object) {
			fputs(line, stdout);
			continue;
		}
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		space = strchr(line, ' ');
		if (!space)
			continue;
		*space = '\0';
		json_object_set_new(object, line, value(space + 1 + strspn(space + 1, " ")));
	}
	if (ferror(f)) {
		tcphs_message_print(STATS ": %s", strerror(errno));
		fclose(f);
		free(line);
		json_decref(object);
		return TCPHS_EXIT_FAILED;
	}
	fclose(f);
	free(line);
	if (object) {
		json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(object);
	}
	return tcphs_output_finish();
}
