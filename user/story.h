/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_STORY_H
#define TCPHS_STORY_H

#include "connection.h"
#include "settings.h"
#include "input.h"

/*
 * A source told as connections: what `timeline` and `list` have in common. They
 * come in the order in which they began, listeners last; with -f, as they end.
 */
struct tcphs_story {
	void (*header)(void *arg, const struct tcphs_input *in);
	void (*connection)(void *arg, const struct tcphs_connection *c);
	void (*listener)(void *arg, const struct tcphs_end *l,
			 const struct tcphs_context *x);
	/* `last`: until when it was looked (ns); 0: nothing was there. */
	void (*finish)(void *arg, uint64_t lost, uint64_t last);
	void *arg;
};

/* Returns the exit status. */
int tcphs_story_tell(const struct tcphs_settings *s, const struct tcphs_story *story);

#endif
