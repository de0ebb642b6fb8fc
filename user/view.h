/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_VIEW_H
#define TCPHS_VIEW_H

#include "settings.h"

/*
 * `tcphs live -i`: the connections on the whole terminal, until q. Returns the
 * exit status.
 */
int tcphs_view_run(const struct tcphs_settings *s);

#endif
