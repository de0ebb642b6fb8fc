// SPDX-License-Identifier: GPL-2.0
/* Memory that is there or ends the program: no caller could go on without. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define SMALL 1024

void tcphs_memory_fail(void)
{
	fputs("tcphs: out of memory: give a FILTER, or read a shorter recording\n", stderr);
	exit(1);
}

static void *checked(void *p)
{
	if (!p)
		tcphs_memory_fail();
	return p;
}

void *tcphs_memory_room(size_t count, size_t size)
{
	return checked(reallocarray(NULL, count ? count : 1, size));
}

void *tcphs_memory_get(size_t count, size_t size)
{
	size_t bytes;

	/* Of small pieces malloc() has some at hand, which calloc() does not know of. */
	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SMALL || !bytes)
		return checked(calloc(count ? count : 1, size));
	return memset(tcphs_memory_room(1, bytes), 0, bytes);
}

void *tcphs_memory_grow(void *array, size_t used, size_t *room, size_t size)
{
	if (used < *room)
		return array;
	*room = *room ? *room * 2 : 4;
	return checked(reallocarray(array, *room, size));
}

char *tcphs_memory_text(const char *text)
{
	return checked(strdup(text));
}
