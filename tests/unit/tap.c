// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static int failed;

bool tap_ok(bool good, const char *format, ...)
{
	va_list args;

	fputs(good ? "ok " : "not ok ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (!good)
		failed = 1;
	return good;
}

void tap_note(const char *format, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

bool tap_number(long long got, long long want, const char *name)
{
	if (tap_ok(got == want, "%s", name))
		return true;
	tap_note("got %lld, expected %lld", got, want);
	return false;
}

bool tap_text(const char *got, const char *want, const char *name)
{
	if (tap_ok(!strcmp(got, want), "%s", name))
		return true;
	tap_note("got      \"%s\"", got);
	tap_note("expected \"%s\"", want);
	return false;
}

int tap_end(void)
{
	return failed;
}
