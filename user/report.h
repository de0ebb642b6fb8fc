/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_REPORT_H
#define TCPHS_REPORT_H

#include <stdio.h>

#include "output.h"
#include "summary.h"

/*
 * A summary as text: opens and closes by kind, percentiles, and, with
 * `histogram`, one bar for each range of handshake times.
 */
void tcphs_report_print(FILE *to, const struct tcphs_output *o,
			const struct tcphs_summary *s, bool histogram);

/* Only the line of percentiles; nothing where no handshake's time is known. */
void tcphs_report_times(FILE *to, const struct tcphs_output *o,
			const struct tcphs_summary *s);

#endif
