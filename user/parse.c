// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "output.h"
#include "parse.h"

/* As of a source: 2^62 ns are 146 years. */
#define MAX_NUMBER (1ULL << 62)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct line {
	const json_t *object;
	size_t found;		/* members that were asked for and are there */
	struct tcphs_parsed *to;
};

/* Every member that some kind of record has; in the order of strcmp(). */
static const char *const members[] = {
	"accept_full", "accepts", "ack", "answer", "backlog", "boot", "bytes_acked",
	"bytes_received", "bytes_retrans", "bytes_sent", "cgroup", "comm", "complete",
	"conn", "cookie", "count", "cpu", "daddr", "data_segs_in", "data_segs_out",
	"dead", "dir", "dport", "drops", "error", "family", "flags", "header", "host",
	"irs", "iss", "kind", "len", "linger", "listener", "mapped", "mark",
	"min_rtt_us", "missing", "n", "netns", "new", "old", "option_bytes",
	"options", "options.fastopen", "options.mptcp", "options.mss",
	"options.sack_permitted", "options.tsecr", "options.tsval", "options.wscale",
	"options_fastopen", "options_mptcp", "options_mss", "options_sack_permitted",
	"options_tsecr", "options_tsval", "options_wscale", "pid", "probe", "probes",
	"process", "rcv_nxt", "reason", "release", "reply", "reserved",
	"retransmit", "retransmits", "rtt_us", "saddr", "segments", "segs_in",
	"segs_out", "seq", "session", "since", "snd_nxt", "snd_una", "sock", "socket",
	"sport", "state", "syns", "timeouts", "ts", "uid", "unread", "until", "urg",
	"via",
	"wall", "win", "write_seq",
};

/* ---- what is wrong -------------------------------------------------------- */

/* The first one is told. */
static void blame(struct line *l, const char *name, const char *what)
{
	if (!*l->to->wrong)
		snprintf(l->to->wrong, sizeof(l->to->wrong), "%s %s", name, what);
}

static void blame_value(struct line *l, const char *name, const char *what,
			const char *value)
{
	char text[64], clean[40];

	snprintf(text, sizeof(text), "%s: %s", what,
		 tcphs_output_clean(value, clean, sizeof(clean)));
	blame(l, name, text);
}

/* ---- values --------------------------------------------------------------- */

/* NULL: unknown. */
static const json_t *known(const json_t *value)
{
	if (!value || json_is_null(value))
		return NULL;
	return json_is_string(value) && !*json_string_value(value) ? NULL : value;
}

static const json_t *get(struct line *l, const char *name)
{
	const json_t *value = json_object_get(l->object, name);

	if (value)
		l->found++;
	return known(value);
}

/* A number, or a text of digits. */
static bool is_number(const json_t *value, int64_t *number)
{
	const char *text = json_string_value(value);
	char *end;

	if (json_is_integer(value)) {
		*number = json_integer_value(value);
		return true;
	}
	if (!text || !strchr("-0123456789", *text))
		return false;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return !*end && !errno;
}

static bool convert(struct line *l, const char *name, const json_t *value, uint64_t max,
		    uint64_t *to)
{
	int64_t number;

	*to = 0;
	if (!value)
		return false;
	if (!is_number(value, &number)) {
		blame(l, name, "is no whole number");
		return false;
	}
	if (number < 0 || (uint64_t)number > max) {
		blame(l, name, "is out of its range");
		return false;
	}
	*to = number;
	return true;
}

/* Returns false: unknown, and then *to is 0. */
static bool number(struct line *l, const char *name, uint64_t max, uint64_t *to)
{
	return convert(l, name, get(l, name), max, to);
}

/* 0 where it is unknown. */
static uint64_t plain(struct line *l, const char *name, uint64_t max)
{
	uint64_t value;

	number(l, name, max, &value);
	return value;
}

static uint64_t needed(struct line *l, const char *name, uint64_t max)
{
	uint64_t value;

	if (!number(l, name, max, &value))
		blame(l, name, "is missing");
	return value;
}

static bool truth_of(struct line *l, const char *name, const json_t *value)
{
	const char *text = json_string_value(value);
	int64_t number;

	if (!value || json_is_boolean(value))
		return json_is_true(value);
	if (is_number(value, &number) && (number == 0 || number == 1))
		return number;
	if (text && (!strcmp(text, "true") || !strcmp(text, "false")))
		return *text == 't';
	blame(l, name, "is neither true nor false");
	return false;
}

static bool truth(struct line *l, const char *name)
{
	return truth_of(l, name, get(l, name));
}

static const char *text(struct line *l, const char *name)
{
	const json_t *value = get(l, name);

	if (value && !json_is_string(value))
		blame(l, name, "is no text");
	return json_string_value(value);
}

static const char *needed_text(struct line *l, const char *name)
{
	const char *value = text(l, name);

	if (!value)
		blame(l, name, "is missing");
	return value ? value : "";
}

/* Room for `size` bytes with the NUL. */
static void copy_text(struct line *l, const char *name, char *to, size_t size)
{
	const char *value = text(l, name);

	if (value)
		snprintf(to, size, "%.*s", (int)size - 1, value);
}

/* Names of sockets and of loads are hexadecimal as text. */
static bool hex64(struct line *l, const char *name, uint64_t *to)
{
	const json_t *value = get(l, name);
	const char *text = json_string_value(value);
	char *end;

	*to = 0;
	if (!text)
		return convert(l, name, value, INT64_MAX, to);
	if (strlen(text) <= 16 && strspn(text, "0123456789abcdefABCDEF") == strlen(text)) {
		*to = strtoull(text, &end, 16);
		return *to;
	}
	blame(l, name, "is not hexadecimal");
	return false;
}

static unsigned int digit(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Pairs of digits, without anything else; how many bytes, or -1. */
static int bytes(const char *hex, uint8_t *to, size_t size)
{
	size_t length = strlen(hex), i;

	if (length % 2 || length / 2 > size ||
	    strspn(hex, "0123456789abcdefABCDEF") != length)
		return -1;
	for (i = 0; i < length / 2; i++)
		to[i] = digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]);
	return length / 2;
}

/* The number below `end` that has this name; 0: unknown. */
static unsigned int named(struct line *l, const char *name, const char *(*of)(unsigned int),
			  unsigned int end)
{
	const char *value = text(l, name);
	unsigned int i;

	if (!value)
		return 0;
	for (i = 1; i < end; i++)
		if (of(i) && !strcmp(of(i), value))
			return i;
	blame_value(l, name, "is unknown", value);
	return 0;
}

static unsigned int state(struct line *l, const char *name)
{
	return named(l, name, tcphs_names_state, TCPHS_STATE_MAX + 1);
}

static unsigned int needed_state(struct line *l, const char *name)
{
	unsigned int value = state(l, name);

	if (!value)
		blame(l, name, "is missing");
	return value;
}

/* ---- what several kinds have ---------------------------------------------- */

static void address(struct line *l, const char *name, bool *inet6, bool family_known,
		    uint8_t to[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const char *value = text(l, name);
	uint8_t six[16];

	if (!value)
		return;
	if (!family_known)
		*inet6 = strchr(value, ':') && strncasecmp(value, "::ffff:", 7);
	if (*inet6 ? inet_pton(AF_INET6, value, to) == 1 :
		     inet_pton(AF_INET, value, to) == 1)
		return;
	/* A column for both families writes IPv4 so. */
	if (!*inet6 && inet_pton(AF_INET6, value, six) == 1 && !memcmp(six, mapped, 12)) {
		memcpy(to, six + 12, 4);
		return;
	}
	blame_value(l, name, "is no address", value);
}

static void ends(struct line *l, struct tcphs_record *r)
{
	const char *family = text(l, "family");
	bool inet6 = family && !strcmp(family, "inet6");
	uint64_t sock;

	if (family && !inet6 && strcmp(family, "inet"))
		blame_value(l, "family", "is unknown", family);
	address(l, "saddr", &inet6, family, r->saddr);
	address(l, "daddr", &inet6, family, r->daddr);
	r->sport = plain(l, "sport", UINT16_MAX);
	r->dport = plain(l, "dport", UINT16_MAX);
	r->flags = (inet6 ? TCPHS_INET6 : 0) | (r->sport ? 0 : TCPHS_NO_LOCAL_PORT) |
		   (r->dport ? 0 : TCPHS_NO_REMOTE) |
		   (truth(l, "mapped") ? TCPHS_V4MAPPED : 0);
	r->netns = plain(l, "netns", UINT32_MAX);
	hex64(l, "sock", &sock);
	r->sock = sock;
}

static void one_number(struct line *l, const char *name, unsigned int bit, uint32_t *to,
		       __u8 *has)
{
	uint64_t value;

	if (number(l, name, UINT32_MAX, &value))
		*has |= bit;
	*to = value;
}

static void numbers(struct line *l, struct tcphs_numbers *nr, __u8 *has)
{
	one_number(l, "snd_nxt", TCPHS_HAS_SND_NXT, &nr->snd_nxt, has);
	one_number(l, "snd_una", TCPHS_HAS_SND_UNA, &nr->snd_una, has);
	one_number(l, "rcv_nxt", TCPHS_HAS_RCV_NXT, &nr->rcv_nxt, has);
	one_number(l, "write_seq", TCPHS_HAS_WRITE_SEQ, &nr->write_seq, has);
	one_number(l, "iss", TCPHS_HAS_ISS, &nr->iss, has);
	one_number(l, "irs", TCPHS_HAS_IRS, &nr->irs, has);
}

static uint32_t uid(struct line *l)
{
	uint64_t value;

	return number(l, "uid", UINT32_MAX, &value) ? value : TCPHS_UID_UNKNOWN;
}

/* Returns TCPHS_HAS_OWNER when there is one; no process has number 0. */
static unsigned int owner(struct line *l, __u32 *pid, char comm[16])
{
	uint64_t value;

	if (!number(l, "pid", UINT32_MAX, &value) || !value)
		value = 0;
	*pid = value;
	copy_text(l, "comm", comm, 16);
	if (value)
		return TCPHS_HAS_OWNER;
	memset(comm, 0, 16);
	return 0;
}

static unsigned int error(struct line *l)
{
	const json_t *value = get(l, "error");
	const char *name = json_string_value(value);
	uint64_t number;
	unsigned int i;

	if (!name || (*name >= '0' && *name <= '9')) {
		convert(l, "error", value, UINT16_MAX, &number);
		return number;
	}
	for (i = 1; i < 1024; i++)
		if (tcphs_names_error(i) && !strcmp(tcphs_names_error(i), name))
			return i;
	blame_value(l, "error", "is unknown", name);
	return 0;
}

static bool is_out(struct line *l)
{
	const char *dir = needed_text(l, "dir");

	if (strcmp(dir, "in") && strcmp(dir, "out"))
		blame_value(l, "dir", "is neither in nor out", dir);
	return !strcmp(dir, "out");
}

/* ---- kinds ---------------------------------------------------------------- */

static void transition(struct line *l, struct tcphs_record *r)
{
	struct tcphs_transition *t = &r->transition;
	struct tcphs_numbers nr = { 0 };
	uint64_t mark, listener;
	bool closed, mark_known;

	t->old = needed_state(l, "old");
	t->new = needed_state(l, "new");
	t->via = named(l, "via", tcphs_names_via, TCPHS_VIA_TIMEWAIT + 1);
	if (!t->via)
		blame(l, "via", "is missing");
	closed = t->new == TCPHS_CLOSE;
	numbers(l, &nr, &t->has);
	mark_known = number(l, "mark", UINT32_MAX, &mark);
	t->nr = nr;
	if (!t->has && mark_known) {
		memset(&t->birth, 0, sizeof(t->birth));
		t->has = TCPHS_HAS_BIRTH;
		t->birth.mark = mark;
		t->birth.cgroup = plain(l, "cgroup", INT64_MAX);
		t->birth.backlog = plain(l, "backlog", UINT32_MAX);
	} else {
		/* Asked for, to be counted. */
		get(l, "cgroup");
		get(l, "backlog");
	}
	t->has |= owner(l, &t->pid, t->comm);
	t->uid = uid(l);
	t->error = error(l);
	t->unread = plain(l, "unread", UINT32_MAX);
	t->timeouts = plain(l, "timeouts", UINT8_MAX);
	t->fact = (truth(l, "linger") ? TCPHS_FACT_LINGER : 0) |
		  (truth(l, "process") ? TCPHS_FACT_PROCESS : 0) |
		  (truth(l, "dead") ? TCPHS_FACT_DEAD : 0);
	if (!closed) {
		t->error = 0;
		t->unread = 0;
		t->timeouts = 0;
		t->fact = 0;
	}
	if (t->via != TCPHS_VIA_REQUEST)
		return;
	/* In the place of the process's name. */
	t->has &= ~TCPHS_HAS_OWNER;
	hex64(l, "listener", &listener);
	t->queues.listener = listener;
	t->queues.drops = plain(l, "drops", UINT32_MAX);
	t->queues.syns = plain(l, "syns", UINT16_MAX);
	t->queues.accepts = plain(l, "accepts", UINT16_MAX);
}

static unsigned int flag(const char *name, size_t length)
{
	const char *known;
	unsigned int bit;

	for (bit = 1; bit < 0x100; bit <<= 1) {
		known = tcphs_names_flag(bit, 0);
		if (strlen(known) == length && !memcmp(known, name, length))
			return bit;
	}
	return 0;
}

/* An array of names; or as text, with what an engine sets between them. */
static unsigned int flags(struct line *l)
{
	static const char between[] = "[]'\", ";
	const json_t *value = get(l, "flags"), *item;
	const char *text = json_string_value(value);
	unsigned int all = 0, bit;
	size_t i, length;

	if (text && strcmp(text, "none")) {
		for (text += strspn(text, between); *text; text += strspn(text, between)) {
			length = strcspn(text, between);
			bit = flag(text, length);
			if (!bit)
				blame_value(l, "flags", "has an unknown one", text);
			all |= bit;
			text += length;
		}
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item) {
			text = json_string_value(item);
			bit = text ? flag(text, strlen(text)) : 0;
			if (!bit)
				blame_value(l, "flags", "has an unknown one", text ? text : "?");
			all |= bit;
		}
	} else if (!text) {
		blame(l, "flags", value ? "is no array" : "is missing");
	}
	return all;
}

/* An option: of the object, or a member of its own. */
static const json_t *option(struct line *l, const json_t *object, const char *name)
{
	const json_t *value;
	char flat[40];

	if (object)
		return known(json_object_get(object, name));
	snprintf(flat, sizeof(flat), "options.%s", name);
	value = get(l, flat);
	if (value)
		return value;
	flat[strlen("options")] = '_';
	return get(l, flat);
}

static size_t put(uint8_t *to, size_t used, unsigned int kind, const void *value, size_t size)
{
	if (used + 2 + size > 40)
		return used;
	to[used] = kind;
	to[used + 1] = 2 + size;
	memcpy(to + used + 2, value, size);
	return used + 2 + size;
}

/*
 * Where the bytes were not kept: options that say the same. Returns how many
 * bytes they have.
 */
static size_t make_options(struct line *l, const json_t *o, uint8_t to[40])
{
	uint64_t mss, wscale, tsval, tsecr;
	const json_t *fastopen;
	uint32_t stamps[2];
	uint8_t cookie[16];
	uint16_t two;
	uint8_t one;
	size_t used = 0;
	int length;

	if (convert(l, "options: mss", option(l, o, "mss"), UINT16_MAX, &mss)) {
		two = htons(mss);
		used = put(to, used, 2, &two, 2);
	}
	if (truth_of(l, "options: sack_permitted", option(l, o, "sack_permitted")))
		used = put(to, used, 4, "", 0);
	if (convert(l, "options: tsval", option(l, o, "tsval"), UINT32_MAX, &tsval) &
	    convert(l, "options: tsecr", option(l, o, "tsecr"), UINT32_MAX, &tsecr)) {
		stamps[0] = htonl(tsval);
		stamps[1] = htonl(tsecr);
		used = put(to, used, 8, stamps, 8);
	}
	if (convert(l, "options: wscale", option(l, o, "wscale"), UINT8_MAX, &wscale)) {
		one = wscale;
		used = put(to, used, 3, &one, 1);
	}
	fastopen = option(l, o, "fastopen");
	if (fastopen) {
		const char *text = json_string_value(fastopen);

		length = !text ? -1 : !strcmp(text, "request") ? 0 :
				 bytes(text, cookie, sizeof(cookie));
		if (length < 0)
			blame(l, "options: fastopen", "is no cookie");
		else
			used = put(to, used, 34, cookie, length);
	}
	if (truth_of(l, "options: mptcp", option(l, o, "mptcp")))
		used = put(to, used, 30, "", 0);
	return used;
}

static void options(struct line *l, struct tcphs_segment *s)
{
	const json_t *value = json_object_get(l->object, "option_bytes");
	const json_t *nested = get(l, "options");
	json_t *parsed = NULL;
	uint64_t header;
	bool header_known = number(l, "header", 60, &header);
	unsigned int reserved = plain(l, "reserved", 15);
	int length;

	if (value && json_is_string(value)) {
		l->found++;
		length = bytes(json_string_value(value), s->options, sizeof(s->options));
		if (length < 0)
			blame(l, "option_bytes", "is not hexadecimal, or too long");
	} else {
		get(l, "option_bytes");
		if (json_is_string(nested)) {
			nested = parsed = json_loads(json_string_value(nested), 0, NULL);
			if (!parsed)
				blame(l, "options", "is no object as text");
		}
		if (nested && !json_is_object(nested))
			blame(l, "options", "is no object");
		length = make_options(l, nested, s->options);
	}
	/* In words of 32 bits. */
	if (header_known)
		s->offset = header / 4 << 4 | reserved;
	else if (length >= 0)
		s->offset = (20 + (length + 3)) / 4 << 4 | reserved;
	json_decref(parsed);
}

static void segment(struct line *l, struct tcphs_record *r)
{
	struct tcphs_segment *s = &r->segment;
	const char *socket = text(l, "socket");

	s->mark = is_out(l) ? TCPHS_SEG_OUT : 0;
	s->flags = flags(l);
	s->seq = needed(l, "seq", UINT32_MAX);
	s->ack = s->flags & TCPHS_ACK ? needed(l, "ack", UINT32_MAX) :
					(get(l, "ack"), 0);
	s->len = needed(l, "len", UINT32_MAX);
	s->win = plain(l, "win", UINT16_MAX);
	s->urg = plain(l, "urg", UINT16_MAX);
	s->state = state(l, "state");
	options(l, s);
	if (truth(l, "retransmit"))
		s->mark |= TCPHS_SEG_RETRANSMIT;
	if (truth(l, "cookie"))
		s->mark |= TCPHS_SEG_COOKIE;
	if (truth(l, "probe"))
		s->mark |= TCPHS_SEG_PROBE;
	if (truth(l, "answer"))
		s->mark |= TCPHS_SEG_ANSWER;
	if (truth(l, "accept_full"))
		s->mark |= TCPHS_SEG_ACCEPT_FULL;
	if (!socket || !strcmp(socket, "full"))
		return;
	if (!strcmp(socket, "mini"))
		s->mark |= TCPHS_SEG_MINI;
	else if (!strcmp(socket, "none"))
		s->mark |= TCPHS_SEG_NO_SOCKET;
	else
		blame_value(l, "socket", "is unknown", socket);
}

/* 0 has no name. */
static unsigned int reason(struct line *l)
{
	const char *value = text(l, "reason");
	unsigned int i;

	for (i = 0; value && i < TCPHS_REASON_UNKNOWN; i++)
		if (tcphs_names_reason(i) && !strcmp(tcphs_names_reason(i), value))
			return i;
	/* A newer kernel's, perhaps. */
	return TCPHS_REASON_UNKNOWN;
}

static void reset(struct line *l, struct tcphs_record *r)
{
	struct tcphs_reset *t = &r->reset;

	t->out = is_out(l);
	t->state = state(l, "state");
	t->reason = reason(l);
	t->unread = plain(l, "unread", UINT32_MAX);
	t->probes = plain(l, "probes", UINT8_MAX);
	t->error = error(l);
	t->fact = (truth(l, "linger") ? TCPHS_FACT_LINGER : 0) |
		  (truth(l, "process") ? TCPHS_FACT_PROCESS : 0) |
		  (truth(l, "dead") ? TCPHS_FACT_DEAD : 0) |
		  (truth(l, "reply") ? TCPHS_FACT_REPLY : 0);
	numbers(l, &t->nr, &t->has);
	t->has |= owner(l, &t->pid, t->comm);
	t->uid = uid(l);
}

static void destroy(struct line *l, struct tcphs_record *r)
{
	struct tcphs_destroy *d = &r->destroy;

	d->retransmits = plain(l, "retransmits", UINT32_MAX);
	d->bytes_sent = plain(l, "bytes_sent", INT64_MAX);
	d->bytes_acked = plain(l, "bytes_acked", INT64_MAX);
	d->bytes_received = plain(l, "bytes_received", INT64_MAX);
	d->bytes_retrans = plain(l, "bytes_retrans", UINT32_MAX);
	d->segs_in = plain(l, "segs_in", UINT32_MAX);
	d->segs_out = plain(l, "segs_out", UINT32_MAX);
	d->data_segs_in = plain(l, "data_segs_in", UINT32_MAX);
	d->data_segs_out = plain(l, "data_segs_out", UINT32_MAX);
	d->drops = plain(l, "drops", UINT32_MAX);
	d->rtt_us = plain(l, "rtt_us", UINT32_MAX);
	d->min_rtt_us = plain(l, "min_rtt_us", UINT32_MAX);
}

static void accept_record(struct line *l, struct tcphs_record *r)
{
	struct tcphs_accept *a = &r->accept;
	uint64_t listener;

	a->state = state(l, "state");
	a->cgroup = plain(l, "cgroup", INT64_MAX);
	a->mark = plain(l, "mark", UINT32_MAX);
	hex64(l, "listener", &listener);
	a->listener = listener;
	owner(l, &a->pid, a->comm);
	a->uid = uid(l);
}

static void lost(struct line *l, struct tcphs_record *r)
{
	uint64_t count;

	if (!number(l, "count", MAX_NUMBER, &count)) {
		count = 1;
		r->flags |= TCPHS_SOME;
	}
	if (!count)
		blame(l, "count", "is 0");
	r->lost.count = count;
	r->lost.since = plain(l, "since", MAX_NUMBER);
	r->lost.until = plain(l, "until", MAX_NUMBER);
}

/* ---- what a record says of its stream ------------------------------------- */

static void boot(struct line *l, uint8_t to[16])
{
	const char *value = text(l, "boot");
	char hex[33];
	size_t used = 0;

	if (!value)
		return;
	for (; *value && used < 33; value++)
		if (*value != '-')
			hex[used++] = *value;
	if (used == 32) {
		hex[used] = '\0';
		if (bytes(hex, to, 16) == 16)
			return;
	}
	blame(l, "boot", "is no UUID");
}

static void stream(struct line *l, struct tcphs_parsed *p)
{
	static const char *const modes[] = { "none", "handshake", "all" };
	struct tcphs_header *h = &p->header;
	const json_t *wall = get(l, "wall");
	const char *mode = text(l, "segments");
	uint64_t value;
	__int128 apart;
	int64_t time;
	size_t i;

	copy_text(l, "host", h->hostname, sizeof(h->hostname));
	copy_text(l, "release", h->release, sizeof(h->release));
	boot(l, h->boot);
	p->session_known = hex64(l, "session", &value);
	h->session = value;
	h->missing = plain(l, "missing", UINT32_MAX);
	p->complete_known = number(l, "complete", MAX_NUMBER, &value);
	h->complete = value;
	/* Since when it recorded is not told; by now it did. */
	h->loaded = p->record.ts;
	for (i = 0; mode && i < COUNT(modes) && strcmp(mode, modes[i]); i++)
		;
	if (mode && i == COUNT(modes))
		blame_value(l, "segments", "is unknown", mode);
	else if (mode)
		h->segments = i;
	p->segments_known = mode;
	if (!wall)
		return;
	if (!is_number(wall, &time)) {
		blame(l, "wall", "is no whole number");
		return;
	}
	apart = (__int128)time - p->record.ts;
	if (apart >= (int64_t)MAX_NUMBER || apart <= -(int64_t)MAX_NUMBER)
		blame(l, "wall", "is in no year that there is");
	else
		h->wall_offset = apart;
	p->wall_known = true;
}

static int compare(const void *name, const void *member)
{
	return strcmp(name, *(const char *const *)member);
}

/* Members of other kinds come with a table's rows. */
static void find_strange(struct line *l)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)l->object, name, value) {
		if (bsearch(name, members, COUNT(members), sizeof(*members), compare))
			continue;
		l->to->strange = true;
		tcphs_output_clean(name, l->to->name, sizeof(l->to->name));
		return;
	}
}

static enum tcphs_parse_result parse(struct line *l, struct tcphs_parsed *p)
{
	static void (*const kinds[])(struct line *l, struct tcphs_record *r) = {
		[TCPHS_TRANSITION] = transition,
		[TCPHS_SEGMENT] = segment,
		[TCPHS_RESET] = reset,
		[TCPHS_DESTROY] = destroy,
		[TCPHS_LOST] = lost,
		[TCPHS_ACCEPT] = accept_record,
	};
	static const char *const others[] = { "connection", "listener", "summary" };
	const char *kind = needed_text(l, "kind");
	struct tcphs_record *r = &p->record;
	unsigned int i;

	if (*p->wrong)
		return TCPHS_PARSE_WRONG;
	if (!strcmp(kind, "host"))
		return TCPHS_PARSE_NONE;
	for (i = 0; i < COUNT(others); i++)
		if (!strcmp(kind, others[i]))
			blame(l, kind, "is no record: tcphs events --json writes those");
	for (i = 1; i < COUNT(kinds); i++)
		if (!strcmp(kind, tcphs_names_kind(i)))
			r->kind = i;
	if (!r->kind) {
		blame_value(l, "kind", "is unknown, of a newer tcphs", kind);
		return TCPHS_PARSE_WRONG;
	}
	r->cpu = needed(l, "cpu", UINT16_MAX);
	r->n = needed(l, "n", MAX_NUMBER);
	r->ts = needed(l, "ts", MAX_NUMBER);
	stream(l, p);
	if (r->kind != TCPHS_LOST)
		ends(l, r);
	kinds[r->kind](l, r);
	if (*p->wrong)
		return TCPHS_PARSE_WRONG;
	if (l->found != json_object_size(l->object))
		find_strange(l);
	return TCPHS_PARSE_RECORD;
}

enum tcphs_parse_result tcphs_parse_line(const char *text, size_t size,
					 struct tcphs_parsed *to)
{
	enum tcphs_parse_result result;
	json_error_t wrong;
	char clean[sizeof(wrong.text)];
	struct line l = { .to = to };
	json_t *object;

	memset(to, 0, sizeof(*to));
	object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &wrong);
	if (!object) {
		snprintf(to->wrong, sizeof(to->wrong), "no JSON: %.100s at byte %d",
			 tcphs_output_clean(wrong.text, clean, sizeof(clean)),
			 wrong.position);
		return TCPHS_PARSE_WRONG;
	}
	l.object = object;
	if (json_is_object(object)) {
		result = parse(&l, to);
	} else {
		strcpy(to->wrong, "not an object");
		result = TCPHS_PARSE_WRONG;
	}
	json_decref(object);
	return result;
}

bool tcphs_parse_begins(const uint8_t *bytes, size_t size)
{
	static const uint8_t mark[] = { 0xef, 0xbb, 0xbf };
	size_t i = size >= sizeof(mark) && !memcmp(bytes, mark, sizeof(mark)) ?
		sizeof(mark) : 0;

	while (i < size && strchr(" \t\r\n", bytes[i]) && bytes[i])
		i++;
	return i < size && (bytes[i] == '{' || bytes[i] == '[');
}
