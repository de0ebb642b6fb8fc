// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "message.h"
#include "progress.h"

enum { TEXT = 1024 };

static void (*divert)(void *arg, const char *text);
static void *divert_arg;

void tcphs_message_print(const char *format, ...)
{
	char text[TEXT];
	va_list args;

	va_start(args, format);
	if (divert) {
		vsnprintf(text, sizeof(text), format, args);
		divert(divert_arg, text);
	} else {
		/* What was printed before belongs before the message. */
		fflush(stdout);
		tcphs_progress_wipe();
		fputs("tcphs: ", stderr);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	}
	va_end(args);
}

void tcphs_message_unopened(const char *name)
{
	if (errno == EACCES)
		tcphs_message_print("%s: permission denied (a recording is its owner's alone): use sudo, or chown it",
				    name);
	else
		tcphs_message_print("%s: %s", name, strerror(errno));
}

void tcphs_message_divert(void (*to)(void *arg, const char *text), void *arg)
{
	divert = to;
	divert_arg = arg;
}
