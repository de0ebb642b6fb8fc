// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "saying.h"

enum { LOOK_BACK = 8 };		/* steps; what answers what is not farther */

void tcphs_saying_add(struct tcphs_saying *s, const char *format, ...)
{
	size_t used = strlen(s->text);
	va_list args;

	if (used && used + 1 < TCPHS_SAYING_SIZE) {
		s->text[used++] = ' ';
		s->text[used] = '\0';
	}
	va_start(args, format);
	vsnprintf(s->text + used, TCPHS_SAYING_SIZE - used, format, args);
	va_end(args);
}

const char *tcphs_saying_who(const struct tcphs_saying *s, unsigned int side)
{
	if (s->c->itself)
		return "socket";
	return side == TCPHS_CLIENT ? "client" : "server";
}

uint32_t tcphs_saying_shown(const struct tcphs_saying *s, unsigned int side,
			    uint32_t number)
{
	const struct tcphs_side *p = &s->c->side[side];

	return s->x->absolute || !p->isn_known ? number : number - p->isn;
}

const struct tcphs_step *tcphs_saying_before(const struct tcphs_saying *s,
					     unsigned int from)
{
	size_t i, first = s->i > LOOK_BACK ? s->i - LOOK_BACK : 0;

	for (i = s->i; i-- > first;) {
		const struct tcphs_step *p = &s->c->steps[i];

		if (p->kind == TCPHS_STEP_SEGMENT && p->from == from)
			return p;
	}
	return NULL;
}
