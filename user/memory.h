/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_MEMORY_H
#define TCPHS_MEMORY_H

#include <stddef.h>

/* Zeroed memory. Never NULL: without memory the program says so and exits 1. */
void *tcphs_memory_get(size_t count, size_t size);

/* The same, not initialised. */
void *tcphs_memory_room(size_t count, size_t size);

/*
 * Make room in an array for one element more than `used`, doubling `*room`.
 * Returns the array, which may have moved; new elements are not initialised.
 */
void *tcphs_memory_grow(void *array, size_t used, size_t *room, size_t size);

/* There is none: say so and exit 1. */
_Noreturn void tcphs_memory_fail(void);

/* A copy of `text` to be freed. */
char *tcphs_memory_text(const char *text);

#endif
