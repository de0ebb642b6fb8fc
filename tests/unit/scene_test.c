// SPDX-License-Identifier: GPL-2.0
/*
 * Records -> ends -> connections -> verdict, on the scenes of tests/data: tells
 * what each one wants told. No input or output of the reader is linked in.
 *
 *	scene_test FILE...		run the scenes
 *	scene_test -o OUT FILE		write a scene as a recording
 *	scene_test -e FILE		print what --explain says of its steps
 *	scene_test -v			print the rules of the verdicts
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "explain.h"
#include "flow.h"
#include "late.h"
#include "memory.h"
#include "names.h"
#include "rule.h"
#include "scene.h"
#include "tap.h"
#include "verdict.h"

struct told {
	struct tcphs_context context;
	struct tcphs_connection **connection;
	size_t count;
	size_t room;
	size_t listeners;
	struct tcphs_listener_counts counts;	/* of all listeners together */
	bool sound;
};

static void append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

/* ---- what must hold for every connection ---------------------------------- */

static bool complain(const char *what)
{
	tap_note("%s", what);
	return false;
}

static bool is_sound(const struct tcphs_connection *c)
{
	unsigned int side;
	size_t i, placed;

	for (i = 1; i < c->nsteps; i++)
		if (c->steps[i].ts < c->steps[i - 1].ts)
			return complain("steps are not in the order of time");
	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &c->side[side];
		uint64_t last = 0;

		placed = 0;
		for (i = 0; i < s->nstates; i++) {
			if (s->states[i].ts && s->states[i].ts < last)
				return complain("states are not in the order of time");
			if (s->states[i].ts)
				last = s->states[i].ts;
			if (i && s->states[i].state == s->states[i - 1].state)
				return complain("a state follows itself");
		}
		if (c->itself)
			continue;
		for (i = 0; i < c->nsteps; i++)
			placed += c->steps[i].entered[side].count;
		if (s->nstates && placed != s->nstates - 1)
			return complain("a state has no row, or two");
	}
	return true;
}

/* ---- telling -------------------------------------------------------------- */

static void take(void *arg, const struct tcphs_end *a, const struct tcphs_end *b)
{
	struct told *t = arg;
	struct tcphs_connection *c;
	size_t i;

	if (a->role == TCPHS_ROLE_LISTENER) {
		t->listeners++;
		t->counts.syns += a->counts.syns;
		t->counts.synacks += a->counts.synacks;
		t->counts.cookies_sent += a->counts.cookies_sent;
		t->counts.cookies_accepted += a->counts.cookies_accepted;
		t->counts.cookies_failed += a->counts.cookies_failed;
		t->counts.unanswered += a->counts.unanswered;
		t->counts.overflowed += a->counts.overflowed;
		return;
	}
	c = tcphs_connection_new(&t->context, a, b);
	t->sound &= is_sound(c);
	t->connection = tcphs_memory_grow(t->connection, t->count, &t->room,
					  sizeof(*t->connection));
	/* By their beginnings. */
	for (i = t->count++; i && t->connection[i - 1]->start > c->start; i--)
		t->connection[i] = t->connection[i - 1];
	t->connection[i] = c;
}

static void tell(struct told *t, const struct scene *s, bool follow)
{
	struct tcphs_flow *f = tcphs_flow_new(follow, take, t);
	size_t i, k;

	t->sound = true;
	t->context.segments = s->header.segments;
	t->context.missing = s->header.missing;
	t->context.since = s->header.loaded;
	for (i = 0; i < s->records; i++) {
		t->context.last = s->record[i].ts;
		tcphs_flow_feed(f, &s->record[i]);
		for (k = t->count; follow && k-- > 0;)
			if (tcphs_late_take(t->connection[k], &s->record[i]))
				break;
	}
	tcphs_flow_finish(f);
	tcphs_flow_free(f);
}

static void forget(struct told *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		tcphs_connection_free(t->connection[i]);
	free(t->connection);
}

/* ---- what a scene may want ------------------------------------------------ */

static void states(const struct tcphs_side *s, char *text, size_t size)
{
	size_t i;

	for (i = 0; i < s->nstates; i++)
		append(text, size, "%s%s", i ? " " : "",
		       tcphs_names_state(s->states[i].state));
	if (!s->nstates)
		append(text, size, "none");
}

static void owner(const struct tcphs_owner *o, char *text, size_t size)
{
	if (o->known)
		append(text, size, "%s/%" PRIu32, o->comm, o->pid);
	else
		append(text, size, "unknown");
}

static void or_null(bool known, uint64_t number, char *text, size_t size)
{
	if (known)
		append(text, size, "%s%" PRIu64, *text ? " " : "", number);
	else
		append(text, size, "%snull", *text ? " " : "");
}

/* Steps as "c:S s:SA c:A", with "!" lost, "*" again, "?" foreign. */
static void steps(const struct tcphs_connection *c, char *text, size_t size)
{
	static const char letters[] = "FSRPAUEC";
	size_t i, k;

	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];

		if (step->kind != TCPHS_STEP_SEGMENT)
			continue;
		append(text, size, "%s%c:", *text ? " " : "",
		       step->from == TCPHS_CLIENT ? 'c' : 's');
		for (k = 0; k < 8; k++)
			if (step->segment.flags >> k & 1)
				append(text, size, "%c", letters[k]);
		append(text, size, "%s%s%s", step->retransmit ? "*" : "",
		       step->lost ? "!" : "", step->foreign ? "?" : "");
	}
}

static void notes(const struct tcphs_connection *c, char *text, size_t size)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++)
		if (c->steps[i].note)
			append(text, size, "%s%s", *text ? " | " : "", c->steps[i].note);
}

static void after(const struct tcphs_connection *c, unsigned int side, char *text,
		  size_t size)
{
	size_t i;

	for (i = 0; i < c->nsteps; i++)
		if (c->steps[i].kind == TCPHS_STEP_SEGMENT) {
			const char *name = tcphs_names_state(c->steps[i].after[side]);

			append(text, size, "%s%s", *text ? " " : "", name ? name : "none");
		}
}

static void look(const struct told *t, const struct tcphs_connection *c,
		 const char *what, char *text, size_t size)
{
	const char *close;
	uint64_t lasted = 0;
	bool known;
	size_t i;

	if (!strcmp(what, "connections")) {
		append(text, size, "%zu", t->count);
		return;
	} else if (!strcmp(what, "listeners")) {
		append(text, size, "%zu", t->listeners);
		return;
	} else if (!strcmp(what, "counts")) {
		append(text, size, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %"
		       PRIu64 " %" PRIu64 " %" PRIu64, t->counts.syns, t->counts.synacks,
		       t->counts.cookies_sent, t->counts.cookies_accepted,
		       t->counts.cookies_failed, t->counts.unanswered,
		       t->counts.overflowed);
		return;
	}
	if (!c) {
		append(text, size, "no such connection");
		return;
	}
	if (!strcmp(what, "open")) {
		append(text, size, "%s", tcphs_verdict_open(c->open));
	} else if (!strcmp(what, "close")) {
		close = tcphs_verdict_close(c->close);
		append(text, size, "%s", close ? close : "null");
	} else if (!strcmp(what, "record")) {
		append(text, size, "%s", tcphs_verdict_whole(c->whole));
	} else if (!strcmp(what, "client")) {
		states(&c->side[TCPHS_CLIENT], text, size);
	} else if (!strcmp(what, "server")) {
		states(&c->side[TCPHS_SERVER], text, size);
	} else if (!strcmp(what, "owners")) {
		owner(&c->side[TCPHS_CLIENT].owner, text, size);
		append(text, size, " ");
		owner(&c->side[TCPHS_SERVER].owner, text, size);
	} else if (!strcmp(what, "closers")) {
		owner(&c->side[TCPHS_CLIENT].closer, text, size);
		append(text, size, " ");
		owner(&c->side[TCPHS_SERVER].closer, text, size);
	} else if (!strcmp(what, "ports")) {
		append(text, size, "%u %u", c->side[0].port, c->side[1].port);
	} else if (!strcmp(what, "netns")) {
		append(text, size, "%u %u", c->side[0].netns, c->side[1].netns);
	} else if (!strcmp(what, "isns")) {
		for (i = 0; i < 2; i++)
			or_null(c->side[i].isn_known, c->side[i].isn, text, size);
	} else if (!strcmp(what, "bytes")) {
		for (i = 0; i < 2; i++)
			or_null(c->side[i].bytes_known, c->side[i].bytes, text, size);
	} else if (!strcmp(what, "half")) {
		or_null(c->half_bytes_known, c->half_bytes, text, size);
	} else if (!strcmp(what, "copies")) {
		for (i = 0; i < TCPHS_COPIES_KINDS; i++)
			or_null(c->copies[i] >= 0, c->copies[i], text, size);
	} else if (!strcmp(what, "opened")) {
		or_null(c->opened, c->opened / 1000, text, size);
	} else if (!strcmp(what, "lasted")) {
		known = tcphs_connection_lasted(c, &lasted);
		or_null(known, lasted / 1000, text, size);
	} else if (!strcmp(what, "steps")) {
		steps(c, text, size);
	} else if (!strcmp(what, "notes")) {
		notes(c, text, size);
	} else if (!strcmp(what, "client-after")) {
		after(c, TCPHS_CLIENT, text, size);
	} else if (!strcmp(what, "server-after")) {
		after(c, TCPHS_SERVER, text, size);
	} else if (!strcmp(what, "roles")) {
		append(text, size, c->assumed ? "assumed" : "seen");
	} else {
		append(text, size, "(the test does not know this)");
	}
}

/* Told at once when TIME_WAIT began, and its end later: as if told at the end. */
static bool same_end(const struct tcphs_connection *a, const struct tcphs_connection *b)
{
	const struct tcphs_step *x, *y;
	unsigned int side;

	for (side = 0; side < 2; side++) {
		const struct tcphs_side *s = &a->side[side], *l = &b->side[side];

		if (s->nstates != l->nstates)
			return complain("another number of states");
		if (s->nstates && (s->states[s->nstates - 1].state !=
				   l->states[l->nstates - 1].state ||
				   s->states[s->nstates - 1].ts !=
				   l->states[l->nstates - 1].ts))
			return complain("another last state");
	}
	if (a->nsteps != b->nsteps)
		return complain("another number of steps");
	if (!a->nsteps)
		return true;
	x = &a->steps[a->nsteps - 1];
	y = &b->steps[b->nsteps - 1];
	if (x->ts != y->ts || x->kind != y->kind || x->after[0] != y->after[0] ||
	    x->after[1] != y->after[1])
		return complain("another last step");
	if (strcmp(x->note ? x->note : "", y->note ? y->note : ""))
		return complain("another note at the last step");
	return true;
}

static void run(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct told t = { 0 }, live = { 0 };
	struct scene s;
	size_t i;

	scene_read(&s, path);
	tell(&t, &s, false);
	tap_ok(t.sound, "%s: states and steps fit together", name);
	for (i = 0; i < s.wants; i++) {
		const struct scene_want *w = &s.want[i];
		char got[1024] = "";

		look(&t, w->connection <= t.count ? t.connection[w->connection - 1] : NULL,
		     w->what, got, sizeof(got));
		if (!tap_ok(!strcmp(got, w->value), "%s:%u: %s %s", name, w->line, w->what,
			    w->value))
			tap_note("got %s", got);
	}
	/* Followed live, nothing is told twice and nothing is forgotten. */
	tell(&live, &s, true);
	if (!tap_ok(live.count == t.count, "%s: as many connections when followed", name))
		tap_note("got %zu, expected %zu", live.count, t.count);
	for (i = 0; i < t.count && i < live.count; i++)
		tap_ok(same_end(t.connection[i], live.connection[i]),
		       "%s: #%zu ends the same when followed", name, i + 1);
	forget(&t);
	forget(&live);
	scene_free(&s);
}

static int write_recording(const char *out, const char *path)
{
	FILE *f = fopen(out, "we");
	struct scene s;
	bool bad;

	if (!f) {
		perror(out);
		return 1;
	}
	scene_read(&s, path);
	fwrite(&s.header, sizeof(s.header), 1, f);
	fwrite(s.record, sizeof(*s.record), s.records, f);
	bad = ferror(f);
	bad |= fclose(f) != 0;
	scene_free(&s);
	return bad;
}

/* ---- what --explain says -------------------------------------------------- */

static void print_explained(const struct tcphs_connection *c)
{
	struct tcphs_explain x;
	size_t i;

	printf("open: %s\nclose: %s\n", c->open_rule, c->close_rule);
	tcphs_explain_begin(&x, c, false);
	for (i = 0; i < c->nsteps; i++) {
		const struct tcphs_step *step = &c->steps[i];
		char *text = tcphs_explain_step(&x, i, TCPHS_EXPLAIN_WHOLE);
		char flags[TCPHS_NAMES_FLAGS_SIZE];

		printf("%s %s: %s\n", step->from == TCPHS_CLIENT ? "client" : "server",
		       step->kind == TCPHS_STEP_SEGMENT ?
		       tcphs_names_flags(step->segment.flags, flags) :
		       step->kind == TCPHS_STEP_STATE ? "(state)" :
		       step->kind == TCPHS_STEP_RESET ? "(reset)" : "(gap)",
		       text ? text : "");
		free(text);
	}
	putchar('\n');
}

static int print_scene(const char *path)
{
	struct told t = { 0 };
	struct scene s;
	size_t i;

	scene_read(&s, path);
	tell(&t, &s, false);
	for (i = 0; i < t.count; i++)
		print_explained(t.connection[i]);
	forget(&t);
	scene_free(&s);
	return 0;
}

static int print_rules(void)
{
	enum tcphs_open open;
	enum tcphs_close close;
	const char *text, *name;
	size_t i;

	for (i = 0; (text = tcphs_rule_open(i, &open)); i++)
		printf("open %s %s\n", tcphs_verdict_open(open), text);
	for (i = 0; (text = tcphs_rule_close(i, &close)); i++) {
		name = tcphs_verdict_close(close);
		printf("close %s %s\n", name ? name : "null", text);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int i;

	if (argc == 3 && !strcmp(argv[1], "-e"))
		return print_scene(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "-v"))
		return print_rules();

	if (argc == 4 && !strcmp(argv[1], "-o"))
		return write_recording(argv[2], argv[3]);
	for (i = 1; i < argc; i++)
		run(argv[i]);
	return tap_end();
}
