/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_TEXT_H
#define TCPHS_TEXT_H

#include <stddef.h>

/* printf() behind what `text`, of `size` bytes, has already; the end is cut. */
void tcphs_text_append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
