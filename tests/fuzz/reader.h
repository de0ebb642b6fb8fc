/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_READER_H
#define FUZZ_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

/* The reader's commands, run here on a recording in memory. */

/* Two bytes as the command line's options. */
struct reader_choice {
	unsigned int command;
	bool two;			/* half of the bytes are another recording */
	struct tcphs_settings settings;
};

struct reader_recording {
	const uint8_t *bytes;
	size_t size;
};

void reader_choose(struct reader_choice *c, const uint8_t data[2]);

/*
 * Show one recording, or two as one. What is printed must be text without control characters
 * (or JSON, one object per line): names of foreign origin are in it.
 */
void reader_show(struct reader_choice *c, const struct reader_recording *r, size_t count);

/* Its records as JSON, and those read back: the same. */
void reader_repeat(struct reader_choice *c, const struct reader_recording *r);

/* Export them; the file must be what its name says. */
void reader_export(struct reader_choice *c, const struct reader_recording *r,
		   size_t count);

#endif
