// SPDX-License-Identifier: GPL-2.0
/* User, cgroup, mark and network namespace of a socket, as text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "owner.h"

static void append(char *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void append(char *text, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	if (used && used + 1 < TCPHS_OWNER_SIZE) {
		text[used++] = ' ';
		text[used] = '\0';
	}
	va_start(args, format);
	vsnprintf(text + used, TCPHS_OWNER_SIZE - used, format, args);
	va_end(args);
}

/* NULL, or 0 of a cgroup or netns: unknown. */
static char *tell(const uint32_t *uid, uint64_t cgroup, const uint32_t *mark,
		  uint32_t netns, char text[TCPHS_OWNER_SIZE])
{
	text[0] = '\0';
	if (uid && *uid != TCPHS_UID_UNKNOWN)
		append(text, "uid %" PRIu32, *uid);
	else
		append(text, "uid ?");
	if (cgroup)
		append(text, "cgroup %" PRIu64, cgroup);
	else
		append(text, "cgroup ?");
	if (mark)
		append(text, "mark 0x%" PRIx32, *mark);
	else
		append(text, "mark ?");
	if (netns)
		append(text, "netns %" PRIu32, netns);
	else
		append(text, "netns ?");
	return text;
}

char *tcphs_owner_side(const struct tcphs_side *s, char text[TCPHS_OWNER_SIZE])
{
	text[0] = '\0';
	if (!s->socket)
		return text;
	return tell(&s->uid, s->cgroup, s->mark_known ? &s->mark : NULL, s->netns, text);
}

char *tcphs_owner_listener(const struct tcphs_end *e, uint32_t netns,
			   char text[TCPHS_OWNER_SIZE])
{
	uint32_t uid = TCPHS_UID_UNKNOWN;
	const uint32_t *mark = NULL;
	uint64_t cgroup = 0;
	size_t i;

	for (i = 0; i < e->records; i++) {
		const struct tcphs_transition *t = &e->record[i].transition;

		if (e->record[i].kind != TCPHS_TRANSITION)
			continue;
		uid = t->uid;
		if (t->has & TCPHS_HAS_BIRTH) {
			mark = &t->birth.mark;
			cgroup = t->birth.cgroup;
		}
	}
	return tell(&uid, cgroup, mark, netns, text);
}

char *tcphs_owner_record(const struct tcphs_record *r, uint32_t netns,
			 char text[TCPHS_OWNER_SIZE])
{
	uint32_t uid = TCPHS_UID_UNKNOWN, mark = 0;
	bool marked = false;
	uint64_t cgroup = 0;

	text[0] = '\0';
	switch (r->kind) {
	case TCPHS_TRANSITION:
		uid = r->transition.uid;
		if (r->transition.has & TCPHS_HAS_BIRTH) {
			marked = true;
			mark = r->transition.birth.mark;
			cgroup = r->transition.birth.cgroup;
		}
		break;
	case TCPHS_RESET:
		uid = r->reset.uid;
		break;
	case TCPHS_ACCEPT:
		marked = true;
		uid = r->accept.uid;
		mark = r->accept.mark;
		cgroup = r->accept.cgroup;
		break;
	}
	if (uid != TCPHS_UID_UNKNOWN)
		append(text, "uid %" PRIu32, uid);
	if (cgroup)
		append(text, "cgroup %" PRIu64, cgroup);
	if (marked)
		append(text, "mark 0x%" PRIx32, mark);
	if (netns)
		append(text, "netns %" PRIu32, netns);
	return text;
}
