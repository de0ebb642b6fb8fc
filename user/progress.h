/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_PROGRESS_H
#define TCPHS_PROGRESS_H

/*
 * A line on a terminal's standard error while something takes longer than two
 * seconds. Call often; `share` is what is done, 0 to 1, below 0: nobody knows.
 */
void tcphs_progress_show(const char *what, double share);

/* Rows are printed now: take the line away if they go to the same terminal. */
void tcphs_progress_yield(void);

/* Take the line away: before messages, and at the end. */
void tcphs_progress_wipe(void);

#endif
