// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>

#include "message.h"

void tcphs_message_print(const char *format, ...)
{
	va_list args;

	/* What was printed before belongs before the message. */
	fflush(stdout);
	fputs("tcphs: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}
