/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_PLAY_H
#define FUZZ_PLAY_H

#include <stddef.h>
#include <stdint.h>

#include "reader.h"

/*
 * Bytes as a recording of few sockets and near numbers. A fuzzer that changes
 * the bytes of a recording itself seldom makes two records of one connection;
 * here almost every change is another story about the same ones.
 *
 *	2 bytes		the header: what was recorded
 *	16 bytes each	a record
 *
 * `host`, from 0, tells recordings of several hosts apart. The bytes in *r are to
 * be freed by play_free().
 */
void play_make(const uint8_t *data, size_t size, unsigned int host,
	       struct reader_recording *r);

/* One play, or two: the first half at one host and the rest at another. */
size_t play_make_all(const uint8_t *data, size_t size, bool two,
		     struct reader_recording r[2]);

void play_free(struct reader_recording *r, size_t count);

#endif
