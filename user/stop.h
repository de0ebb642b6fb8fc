/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_STOP_H
#define TCPHS_STOP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * From here on Ctrl-C, Ctrl-\, SIGTERM and SIGHUP, and the end of `seconds` (0:
 * none), are noted and end nothing by themselves. A second Ctrl-C does.
 */
void tcphs_stop_catch(double seconds);

/* One of them has happened. */
bool tcphs_stop_asked(void);

/*
 * The same at the time of a record of this machine: what came before -d's end is
 * wanted, however late it is told. 0: a recording's clock may be another one, now counts.
 */
bool tcphs_stop_reached(uint64_t ts);

/* CLOCK_MONOTONIC in ns, the clock of the records of this machine. */
uint64_t tcphs_stop_now(void);

#endif
