/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_PROMETHEUS_H
#define TCPHS_PROMETHEUS_H

#include "settings.h"

/*
 * `tcphs stats --prometheus`: the module's counters, and what the ring has now, in
 * the text format for Prometheus. Into s->output at once, by a rename, or standard
 * output. Returns the exit status.
 */
int tcphs_prometheus_run(const struct tcphs_settings *s);

/* A message for what fopen() said of /proc/tcphs/stats; the exit status. */
int tcphs_stats_refuse(int error);

#endif
