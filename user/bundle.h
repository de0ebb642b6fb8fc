/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_BUNDLE_H
#define TCPHS_BUNDLE_H

#include <stddef.h>

#include "source.h"

/*
 * Records as JSON, of any hosts and in any order, turned back into the recordings
 * that they came from: one for each load of the module on each host, in the order
 * in which they come first. In each the records are in the order of time, and none
 * comes twice. Which numbers are missing says nothing: a query chooses.
 */
struct tcphs_bundle {
	struct tcphs_source **source;
	size_t count;
	int status;		/* TCPHS_EXIT_FAILED: something was left out, and said */
};

/*
 * Read all of `json`, which tcphs_source_json() says is some, and close it. The
 * sources are the caller's then. No source: what is wrong has been said.
 */
void tcphs_bundle_read(struct tcphs_bundle *b, struct tcphs_source *json);

/*
 * For who can use one recording only: `s` itself, or the one that its JSON makes.
 * NULL after a message, with the exit status in *status.
 */
struct tcphs_source *tcphs_bundle_only(struct tcphs_source *s, int *status);

#endif
