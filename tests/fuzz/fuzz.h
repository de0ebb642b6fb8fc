/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * The targets: each takes any bytes, and returns 0. What is wrong with the
 * reader's answer ends the program by abort(), what is wrong with its memory by
 * the sanitizers, and an endless loop by the limit on time.
 */

/* Two bytes of options, then a recording as it lies in a file, or two. */
int fuzz_stream(const uint8_t *data, size_t size);

/* Two bytes of options, then a play (play.h): records that have to do with each
 * other, so that what joins them is reached.
 */
int fuzz_tracker(const uint8_t *data, size_t size);

/* 40 bytes for an address pair and ports, then a filter expression. */
int fuzz_filter(const uint8_t *data, size_t size);

/* Two bytes of options, then a play, or a recording: exported to a file. */
int fuzz_export(const uint8_t *data, size_t size);

/* Two bytes of options, then lines of JSON; what was read is read back. */
int fuzz_json(const uint8_t *data, size_t size);

#endif
