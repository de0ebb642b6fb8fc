/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_HELP_H
#define TCPHS_HELP_H

#include "command.h"

/* All commands; the one without a name ends them. */
extern const struct tcphs_command tcphs_help_commands[];

/* NULL: there is no such command. */
const struct tcphs_command *tcphs_help_find(const char *name);

/* `tcphs --help` (command NULL) and `tcphs COMMAND --help`. */
void tcphs_help_print(const struct tcphs_command *command);

/* "tcphs VERSION" */
const char *tcphs_help_name(void);

void tcphs_help_version(void);

#endif
