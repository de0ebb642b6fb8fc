/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_TAP_H
#define TCPHS_TAP_H

#include <stdbool.h>

/* Results without numbers: run.sh numbers those of all programs. */

/* "ok NAME" or "not ok NAME". Returns `good`. */
bool tap_ok(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line that explains what was not ok. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Compare, and explain the difference. */
bool tap_number(long long got, long long want, const char *name);
bool tap_text(const char *got, const char *want, const char *name);

/* main()'s exit status: 1 when something was not ok. */
int tap_end(void);

#endif
