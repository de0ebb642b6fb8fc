/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_PLAY_H
#define FUZZ_PLAY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes as a recording of few sockets and near numbers. A fuzzer that changes
 * the bytes of a recording itself seldom makes two records of one connection;
 * here almost every change is another story about the same ones.
 *
 *	2 bytes		the header: what was recorded
 *	16 bytes each	a record
 *
 * Returns the recording, to be freed, and its size in *bytes.
 */
uint8_t *play_make(const uint8_t *data, size_t size, size_t *bytes);

#endif
