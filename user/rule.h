/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_RULE_H
#define TCPHS_RULE_H

#include <stddef.h>

#include "connection.h"

/*
 * Every rule by which a connection's opening and closing get their names, in the
 * order in which verdict.c asks them: the first that holds decides.
 */
enum tcphs_open_rule {
	TCPHS_RULE_OPEN_BEFORE,
	TCPHS_RULE_OPEN_LOST,
	TCPHS_RULE_OPEN_CROSSED,
	TCPHS_RULE_OPEN_COOKIE,
	TCPHS_RULE_OPEN_SYN_DATA,
	TCPHS_RULE_OPEN_RESTORED,
	TCPHS_RULE_OPEN_ESTABLISHED,
	TCPHS_RULE_OPEN_REFUSED,
	TCPHS_RULE_OPEN_RESET,
	TCPHS_RULE_OPEN_NO_SYN,
	TCPHS_RULE_OPEN_GAVE_UP,
	TCPHS_RULE_OPEN_HALF,
	TCPHS_RULE_OPEN_UNKNOWN,
};

enum tcphs_close_rule {
	TCPHS_RULE_CLOSE_NEVER,
	TCPHS_RULE_CLOSE_GAVE_UP,
	TCPHS_RULE_CLOSE_CLIENT_RST,
	TCPHS_RULE_CLOSE_SERVER_RST,
	TCPHS_RULE_CLOSE_CROSSED,
	TCPHS_RULE_CLOSE_HALF,
	TCPHS_RULE_CLOSE_ONE_SEGMENT,
	TCPHS_RULE_CLOSE_BOTH,
	TCPHS_RULE_CLOSE_NO_FIN,
	TCPHS_RULE_CLOSE_NOT_YET,
	TCPHS_RULE_CLOSE_UNKNOWN,
};

/*
 * The text of rule `i` (enum tcphs_open_rule, enum tcphs_close_rule), a sentence, and
 * the verdict that it gives. NULL after the last one: then nothing is set.
 */
const char *tcphs_rule_open(size_t i, enum tcphs_open *open);
const char *tcphs_rule_close(size_t i, enum tcphs_close *close);

#endif
