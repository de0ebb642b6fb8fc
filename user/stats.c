// SPDX-License-Identifier: GPL-2.0
/*
 * `tcphs stats`: /proc/tcphs/stats, lines of "name value", or what a recording
 * has; and a line for each listening socket of the records.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "command.h"
#include "flow.h"
#include "input.h"
#include "json.h"
#include "listener.h"
#include "message.h"
#include "output.h"
#include "prometheus.h"

#define STATS "/proc/tcphs/stats"

struct stats {
	json_t *object;		/* NULL: text */
	json_t *listeners;
	struct tcphs_context context;
};

/* A number where the value is one, else text. */
static json_t *value(const char *text)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (*text && !*end && !errno)
		return json_integer(number);
	return json_string(text);
}

/* A name that comes more than once has its values in one text. */
static void set(json_t *object, const char *name, const char *text)
{
	const char *before = json_string_value(json_object_get(object, name));

	if (before)
		json_object_set_new(object, name, json_sprintf("%s %s", before, text));
	else
		json_object_set_new(object, name, value(text));
}

static void tell_number(struct stats *t, const char *name, uint64_t number)
{
	if (t->object)
		json_object_set_new(t->object, name, json_integer(number));
	else
		printf("%s %" PRIu64 "\n", name, number);
}

static void tell_text(struct stats *t, const char *name, const char *text)
{
	if (t->object)
		json_object_set_new(t->object, name, json_string(text));
	else
		printf("%s %s\n", name, text);
}

/* ---- the module's counters ------------------------------------------------ */

int tcphs_stats_refuse(int error)
{
	if (error == ENOENT)
		tcphs_message_print(STATS
			": the module is not loaded: sudo insmod tcphs.ko (or sudo modprobe tcphs)");
	else if (error == EACCES || error == EPERM)
		tcphs_message_print(STATS ": permission denied (sequence numbers are secret): use sudo, or load the module with gid= for a group");
	else
		tcphs_message_print(STATS ": %s", strerror(error));
	return error == ENOENT || error == EACCES || error == EPERM ?
		TCPHS_EXIT_ACCESS : TCPHS_EXIT_FAILED;
}

static int tell_file(struct stats *t)
{
	char *line = NULL, *space;
	size_t room = 0;
	int status = 0;
	ssize_t len;
	FILE *f;

	f = fopen(STATS, "re");
	if (!f)
		return tcphs_stats_refuse(errno);
	while ((len = getline(&line, &room, f)) > 0) {
		if (!t->object) {
			fputs(line, stdout);
			continue;
		}
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		space = strchr(line, ' ');
		if (!space)
			continue;
		*space = '\0';
		set(t->object, line, space + 1 + strspn(space + 1, " "));
	}
	if (ferror(f)) {
		tcphs_message_print(STATS ": %s", strerror(errno));
		status = TCPHS_EXIT_FAILED;
	}
	fclose(f);
	free(line);
	return status;
}

/* ---- the records ---------------------------------------------------------- */

static const char *const kinds[] = {
	[TCPHS_TRANSITION] = "transitions",
	[TCPHS_SEGMENT] = "segments",
	[TCPHS_RESET] = "resets",
	[TCPHS_DESTROY] = "destroys",
	[TCPHS_ACCEPT] = "accepts",
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void tell_recording(struct stats *t, const struct tcphs_header *h,
			   const uint64_t count[KINDS], uint64_t lost)
{
	static const char *const modes[] = {
		[TCPHS_SEGMENTS_NONE] = "none",
		[TCPHS_SEGMENTS_HANDSHAKE] = "handshake",
		[TCPHS_SEGMENTS_ALL] = "all",
	};
	char text[sizeof(h->hostname)];
	size_t i;

	tell_text(t, "hostname", tcphs_output_clean(h->hostname, text, sizeof(text)));
	tell_text(t, "release", tcphs_output_clean(h->release, text, sizeof(text)));
	tell_text(t, "segments_mode", modes[h->segments]);
	tell_text(t, "filter", h->filtered ? "set" : "off");
	tell_number(t, "records_lost", lost);
	for (i = 0; i < KINDS; i++)
		if (kinds[i])
			tell_number(t, kinds[i], count[i]);
}

static void tell_listener(struct stats *t, const struct tcphs_end *e)
{
	const struct tcphs_host *host = tcphs_host_of(t->context.hosts, e->netns);
	const struct tcphs_listener_counts *n = &e->counts;
	char name[TCPHS_ADDRESS_SIZE] = "?";

	if (t->listeners) {
		json_array_append_new(t->listeners, tcphs_json_listener_new(e, &t->context));
		return;
	}
	if (e->tuple.lport)
		tcphs_address_end(e->tuple.local, e->tuple.inet6, e->tuple.lport, name);
	printf("listener %s netns %" PRIu32, name,
	       tcphs_host_netns(t->context.hosts, e->netns));
	if (tcphs_host_several(t->context.hosts) && host)
		printf(" host %s", host->name);
	printf(" record %s", tcphs_listener_whole(e));
	/* Without segments nobody counted them, and where records are missing not all. */
	if (t->context.segments != TCPHS_SEGMENTS_NONE && !tcphs_listener_is_lossy(e))
		printf(" syns %" PRIu64 " synacks %" PRIu64 " cookies_sent %" PRIu64
		       " cookies_accepted %" PRIu64 " cookies_failed %" PRIu64
		       " dropped %" PRIu64 " overflowed %" PRIu64,
		       n->syns, n->synacks, n->cookies_sent, n->cookies_accepted,
		       n->cookies_failed, n->unanswered, n->overflowed);
	putchar('\n');
}

static void give(void *arg, const struct tcphs_end *a, const struct tcphs_end *b)
{
	(void)b;
	if (a->role == TCPHS_ROLE_LISTENER)
		tell_listener(arg, a);
}

static int tell_records(struct stats *t, const struct tcphs_settings *s)
{
	uint64_t count[KINDS] = { 0 };
	const struct tcphs_header *h;
	struct tcphs_input *source;
	struct tcphs_flow *flow;
	struct tcphs_record r;
	int status;

	source = tcphs_input_open(s, false, &status);
	if (!source)
		return status;
	h = tcphs_input_header(source);
	tcphs_connection_context(&t->context, h, tcphs_input_hosts(source));
	flow = tcphs_flow_new(false, give, t);
	tcphs_flow_hosts(flow, t->context.hosts);
	while (tcphs_input_read(source, &r) == TCPHS_SOURCE_RECORD) {
		if (r.kind < KINDS)
			count[r.kind]++;
		tcphs_flow_feed(flow, &r);
	}
	if (s->nfiles)
		tell_recording(t, h, count, tcphs_input_lost(source));
	tcphs_flow_finish(flow);
	tcphs_flow_free(flow);
	status = tcphs_input_status(source);
	tcphs_input_close(source);
	return status;
}

int tcphs_stats_run(const struct tcphs_settings *s)
{
	struct stats t = { 0 };
	int status = 0;

	if (s->prometheus && s->json) {
		tcphs_message_print("stats: --json or --prometheus, not both");
		return TCPHS_EXIT_USAGE;
	}
	if (s->prometheus)
		return tcphs_prometheus_run(s);
	if (s->output) {
		tcphs_message_print("stats: -o goes with --prometheus");
		return TCPHS_EXIT_USAGE;
	}
	t.object = s->json ? json_object() : NULL;
	if (t.object) {
		t.listeners = json_array();
		json_object_set(t.object, "listeners", t.listeners);
	}
	if (!s->nfiles)
		status = tell_file(&t);
	if (!status)
		status = tell_records(&t, s);
	if (t.object && !status) {
		json_dumpf(t.object, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(t.listeners);
	json_decref(t.object);
	return tcphs_output_finish() ? TCPHS_EXIT_FAILED : status;
}
