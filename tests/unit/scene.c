// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "names.h"
#include "scene.h"

#define US 1000ULL

struct end {
	char name[16];
	uint8_t local[16];
	uint8_t remote[16];
	uint16_t lport;
	uint16_t rport;
	uint8_t flags;
	uint32_t netns;
	uint64_t sock;
	uint32_t isn;
	uint32_t peer;
};

/* The file while it is read. */
struct reading {
	struct scene *s;
	const char *path;
	unsigned int line;
	char *word[64];
	size_t words;
	size_t at;
	struct end end[32];
	size_t ends;
	uint64_t n[256];	/* next record number of each CPU */
	size_t room;
	size_t want_room;
	unsigned int connection;
};

static void fail(const struct reading *r, const char *what)
{
	fprintf(stderr, "%s:%u: %s\n", r->path, r->line, what);
	exit(2);
}

/* ---- words ---------------------------------------------------------------- */

static const char *next(struct reading *r)
{
	if (r->at == r->words)
		fail(r, "a word is missing");
	return r->word[r->at++];
}

static bool more(const struct reading *r)
{
	return r->at < r->words;
}

static uint64_t number(struct reading *r)
{
	const char *word = next(r);
	char *end;
	uint64_t n;

	n = strtoull(word, &end, 0);
	if (*end || !*word)
		fail(r, "not a number");
	return n;
}

/* Relative to `base`, or "=N". */
static uint32_t sequence(struct reading *r, uint32_t base)
{
	const char *word = next(r);
	char *end;
	uint32_t n;

	if (*word == '=')
		return strtoul(word + 1, NULL, 0);
	n = strtoul(word, &end, 0);
	if (*end || !*word)
		fail(r, "not a number");
	return base + n;
}

static unsigned int state(struct reading *r, const char *name, size_t len)
{
	unsigned int i;

	for (i = 1; i <= TCPHS_STATE_MAX; i++)
		if (strlen(tcphs_names_state(i)) == len &&
		    !strncmp(tcphs_names_state(i), name, len))
			return i;
	fail(r, "no such state");
	return 0;
}

static unsigned int state_word(struct reading *r)
{
	const char *name = next(r);

	return state(r, name, strlen(name));
}

static unsigned int error_word(struct reading *r)
{
	const char *name = next(r);
	unsigned int i;

	for (i = 1; i < 200; i++)
		if (tcphs_names_error(i) && !strcmp(tcphs_names_error(i), name))
			return i;
	fail(r, "no such error");
	return 0;
}

static void text_word(struct reading *r, char *to, size_t size)
{
	snprintf(to, size, "%s", next(r));
}

/* ---- ends ----------------------------------------------------------------- */

/* "10.0.0.1:80" or "[::1]:80" */
static void address(struct reading *r, uint8_t to[16], uint16_t *port, uint8_t *flags)
{
	char text[80], *colon;

	text_word(r, text, sizeof(text));
	colon = strrchr(text, ':');
	if (!colon)
		fail(r, "no port");
	*port = atoi(colon + 1);
	*colon = '\0';
	if (*text == '[') {
		colon[-1] = '\0';
		*flags |= TCPHS_INET6;
		if (inet_pton(AF_INET6, text + 1, to) != 1)
			fail(r, "not an IPv6 address");
	} else if (inet_pton(AF_INET, text, to) != 1) {
		fail(r, "not an IPv4 address");
	}
}

static void read_end(struct reading *r)
{
	struct end *e = &r->end[r->ends++];

	memset(e, 0, sizeof(*e));
	text_word(r, e->name, sizeof(e->name));
	address(r, e->local, &e->lport, &e->flags);
	address(r, e->remote, &e->rport, &e->flags);
	e->netns = 4026531840U;
	e->sock = 0x1000 + r->ends;
	while (more(r)) {
		const char *word = next(r);

		if (!strcmp(word, "netns"))
			e->netns = number(r);
		else if (!strcmp(word, "sock"))
			e->sock = number(r);
		else if (!strcmp(word, "isn"))
			e->isn = number(r);
		else if (!strcmp(word, "peer"))
			e->peer = number(r);
		else if (!strcmp(word, "mapped"))
			e->flags |= TCPHS_V4MAPPED;
		else
			fail(r, "end: what is this?");
	}
}

static const struct end *find_end(struct reading *r, const char *name)
{
	size_t i;

	for (i = r->ends; i-- > 0;)
		if (!strcmp(r->end[i].name, name))
			return &r->end[i];
	fail(r, "no such end");
	return NULL;
}

/* ---- records -------------------------------------------------------------- */

/* "sock N" and "cpu N", which every record may have. */
static bool common(struct reading *r, struct tcphs_record *rec, const char *word)
{
	if (!strcmp(word, "sock"))
		rec->sock = number(r);
	else if (!strcmp(word, "cpu"))
		rec->cpu = number(r);
	else
		return false;
	return true;
}

static void read_transition(struct reading *r, struct tcphs_record *rec,
			    const struct end *e, const char *states)
{
	struct tcphs_transition *t = &rec->transition;
	const char *arrow = strchr(states, '>');

	rec->kind = TCPHS_TRANSITION;
	t->old = state(r, states, arrow - states);
	t->new = state(r, arrow + 1, strlen(arrow + 1));
	t->via = TCPHS_VIA_TRACEPOINT;
	t->uid = TCPHS_UID_UNKNOWN;
	while (more(r)) {
		const char *word = next(r);

		if (common(r, rec, word)) {
			continue;
		} else if (!strcmp(word, "via")) {
			word = next(r);
			t->via = !strcmp(word, "request") ? TCPHS_VIA_REQUEST :
							    TCPHS_VIA_TIMEWAIT;
		} else if (!strcmp(word, "by")) {
			t->pid = number(r);
			t->uid = 1000;
			text_word(r, t->comm, sizeof(t->comm));
			t->has |= TCPHS_HAS_OWNER;
		} else if (!strcmp(word, "noport")) {
			rec->flags |= TCPHS_NO_LOCAL_PORT;
			memset(rec->saddr, 0, sizeof(rec->saddr));
			rec->sport = 0;
		} else if (!strcmp(word, "noremote")) {
			rec->flags |= TCPHS_NO_REMOTE;
			memset(rec->daddr, 0, sizeof(rec->daddr));
			rec->dport = 0;
		} else if (!strcmp(word, "iss")) {
			t->nr.iss = e->isn;
			t->has |= TCPHS_HAS_ISS;
		} else if (!strcmp(word, "irs")) {
			t->nr.irs = e->peer;
			t->has |= TCPHS_HAS_IRS;
		} else if (!strcmp(word, "snd_nxt")) {
			t->nr.snd_nxt = sequence(r, e->isn);
			t->has |= TCPHS_HAS_SND_NXT;
		} else if (!strcmp(word, "snd_una")) {
			t->nr.snd_una = sequence(r, e->isn);
			t->has |= TCPHS_HAS_SND_UNA;
		} else if (!strcmp(word, "rcv_nxt")) {
			t->nr.rcv_nxt = sequence(r, e->peer);
			t->has |= TCPHS_HAS_RCV_NXT;
		} else if (!strcmp(word, "write_seq")) {
			t->nr.write_seq = sequence(r, e->isn);
			t->has |= TCPHS_HAS_WRITE_SEQ;
		} else if (!strcmp(word, "error")) {
			t->error = error_word(r);
		} else if (!strcmp(word, "timeouts")) {
			t->timeouts = number(r);
		} else if (!strcmp(word, "unread")) {
			t->unread = number(r);
		} else if (!strcmp(word, "process")) {
			t->fact |= TCPHS_FACT_PROCESS;
		} else if (!strcmp(word, "dead")) {
			t->fact |= TCPHS_FACT_DEAD;
		} else if (!strcmp(word, "backlog")) {
			t->birth.backlog = number(r);
		} else if (!strcmp(word, "listener")) {
			t->queues.listener = number(r);
		} else {
			fail(r, "transition: what is this?");
		}
	}
	if (t->via == TCPHS_VIA_TRACEPOINT &&
	    (t->new == TCPHS_LISTEN ||
	     (t->old == TCPHS_CLOSE && t->new == TCPHS_SYN_SENT) ||
	     (t->old == TCPHS_LISTEN && t->new == TCPHS_SYN_RECV)))
		t->has |= TCPHS_HAS_BIRTH;
}

static void read_segment(struct reading *r, struct tcphs_record *rec,
			 const struct end *e, bool out)
{
	static const char letters[] = "FSRPAUEC";
	struct tcphs_segment *s = &rec->segment;
	uint32_t seq = out ? e->isn : e->peer, ack = out ? e->peer : e->isn;
	const char *word = next(r), *letter;

	rec->kind = TCPHS_SEGMENT;
	if (!out)
		rec->sock = 0;
	s->mark = out ? TCPHS_SEG_OUT : 0;
	s->offset = 5 << 4;
	s->win = 512;
	for (; *word && *word != '-'; word++) {
		letter = strchr(letters, *word);
		if (!letter)
			fail(r, "no such flag");
		s->flags |= 1 << (letter - letters);
	}
	s->seq = seq;
	while (more(r)) {
		word = next(r);
		if (common(r, rec, word)) {
			continue;
		} else if (!strcmp(word, "seq")) {
			s->seq = sequence(r, seq);
		} else if (!strcmp(word, "ack")) {
			s->ack = sequence(r, ack);
		} else if (!strcmp(word, "len")) {
			s->len = number(r);
		} else if (!strcmp(word, "win")) {
			s->win = number(r);
		} else if (!strcmp(word, "again")) {
			s->mark |= TCPHS_SEG_RETRANSMIT;
		} else if (!strcmp(word, "cookie")) {
			s->mark |= TCPHS_SEG_COOKIE;
			rec->sock = 0;
		} else if (!strcmp(word, "mini")) {
			s->mark |= TCPHS_SEG_MINI;
		} else if (!strcmp(word, "full")) {
			s->mark |= TCPHS_SEG_ACCEPT_FULL;
		} else if (!strcmp(word, "probe")) {
			s->mark |= TCPHS_SEG_PROBE;
		} else if (!strcmp(word, "answer")) {
			s->mark |= TCPHS_SEG_ANSWER;
		} else if (!strcmp(word, "nosocket")) {
			s->mark |= TCPHS_SEG_NO_SOCKET;
			rec->sock = 0;
		} else if (!strcmp(word, "state")) {
			s->state = state_word(r);
		} else if (!strcmp(word, "opt")) {
			size_t i = 0;
			unsigned int byte;

			for (word = next(r); sscanf(word, "%2x", &byte) == 1 && i < 40;
			     word += 2)
				s->options[i++] = byte;
			s->offset = (5 + (i + 3) / 4) << 4;
		} else {
			fail(r, "segment: what is this?");
		}
	}
}

static void read_reset(struct reading *r, struct tcphs_record *rec)
{
	struct tcphs_reset *reset = &rec->reset;

	rec->kind = TCPHS_RESET;
	reset->out = !strcmp(next(r), "out");
	reset->reason = TCPHS_REASON_UNKNOWN;
	reset->uid = TCPHS_UID_UNKNOWN;
	while (more(r)) {
		const char *word = next(r);

		if (common(r, rec, word))
			continue;
		else if (!strcmp(word, "state"))
			reset->state = state_word(r);
		else if (!strcmp(word, "unread"))
			reset->unread = number(r);
		else if (!strcmp(word, "linger"))
			reset->fact |= TCPHS_FACT_LINGER;
		else if (!strcmp(word, "process"))
			reset->fact |= TCPHS_FACT_PROCESS;
		else if (!strcmp(word, "dead"))
			reset->fact |= TCPHS_FACT_DEAD;
		else if (!strcmp(word, "reply"))
			reset->fact |= TCPHS_FACT_REPLY;
		else if (!strcmp(word, "probes"))
			reset->probes = number(r);
		else if (!strcmp(word, "error"))
			reset->error = error_word(r);
		else if (!strcmp(word, "reason"))
			reset->reason = number(r);
		else
			fail(r, "reset: what is this?");
	}
}

static void read_destroy(struct reading *r, struct tcphs_record *rec)
{
	struct tcphs_destroy *d = &rec->destroy;

	rec->kind = TCPHS_DESTROY;
	while (more(r)) {
		const char *word = next(r);

		if (common(r, rec, word))
			continue;
		else if (!strcmp(word, "retransmits"))
			d->retransmits = number(r);
		else if (!strcmp(word, "sent"))
			d->bytes_sent = number(r);
		else if (!strcmp(word, "received"))
			d->bytes_received = number(r);
		else if (!strcmp(word, "retrans"))
			d->bytes_retrans = number(r);
		else
			fail(r, "destroy: what is this?");
	}
}

static void read_accept(struct reading *r, struct tcphs_record *rec)
{
	rec->kind = TCPHS_ACCEPT;
	rec->accept.state = TCPHS_ESTABLISHED;
	rec->accept.pid = number(r);
	rec->accept.uid = 1000;
	text_word(r, rec->accept.comm, sizeof(rec->accept.comm));
	while (more(r))
		if (!common(r, rec, next(r)))
			fail(r, "accept: what is this?");
}

static void add(struct reading *r, struct tcphs_record *rec)
{
	struct scene *s = r->s;

	if (rec->cpu > 255)
		fail(r, "CPU number");
	rec->n = r->n[rec->cpu];
	r->n[rec->cpu] += rec->kind == TCPHS_LOST ? rec->lost.count : 1;
	if (rec->cpu >= s->header.cpus)
		s->header.cpus = rec->cpu + 1;
	s->record = tcphs_memory_grow(s->record, s->records, &r->room,
				      sizeof(*s->record));
	s->record[s->records++] = *rec;
}

static void read_record(struct reading *r, uint64_t us)
{
	struct tcphs_record rec = { .ts = us * US };
	const char *word = next(r);
	const struct end *e;

	if (!strcmp(word, "lost")) {
		rec.kind = TCPHS_LOST;
		rec.cpu = number(r);
		rec.lost.count = number(r);
		rec.lost.since = number(r) * US;
		if (more(r))
			rec.lost.until = number(r) * US;
		add(r, &rec);
		return;
	}
	e = find_end(r, word);
	rec.sock = e->sock;
	rec.netns = e->netns;
	rec.flags = e->flags;
	memcpy(rec.saddr, e->local, sizeof(rec.saddr));
	memcpy(rec.daddr, e->remote, sizeof(rec.daddr));
	rec.sport = e->lport;
	rec.dport = e->rport;
	word = next(r);
	if (strchr(word, '>'))
		read_transition(r, &rec, e, word);
	else if (!strcmp(word, "out") || !strcmp(word, "in"))
		read_segment(r, &rec, e, !strcmp(word, "out"));
	else if (!strcmp(word, "reset"))
		read_reset(r, &rec);
	else if (!strcmp(word, "destroy"))
		read_destroy(r, &rec);
	else if (!strcmp(word, "accept"))
		read_accept(r, &rec);
	else
		fail(r, "what is this?");
	add(r, &rec);
}

/* ---- the file ------------------------------------------------------------- */

static void read_want(struct reading *r)
{
	struct scene *s = r->s;
	struct scene_want *w;
	char value[512] = "";

	s->want = tcphs_memory_grow(s->want, s->wants, &r->want_room, sizeof(*s->want));
	w = &s->want[s->wants++];
	w->line = r->line;
	w->connection = r->connection;
	w->what = tcphs_memory_text(next(r));
	while (more(r)) {
		if (*value)
			strcat(value, " ");
		strncat(value, next(r), sizeof(value) - strlen(value) - 2);
	}
	w->value = tcphs_memory_text(value);
}

static void read_line(struct reading *r)
{
	struct tcphs_header *h = &r->s->header;
	const char *word = next(r);

	if (!strcmp(word, "segments")) {
		word = next(r);
		h->segments = !strcmp(word, "none") ? TCPHS_SEGMENTS_NONE :
			      !strcmp(word, "all") ? TCPHS_SEGMENTS_ALL :
						     TCPHS_SEGMENTS_HANDSHAKE;
	} else if (!strcmp(word, "loaded")) {
		h->loaded = number(r) * US;
	} else if (!strcmp(word, "missing")) {
		h->missing = number(r);
	} else if (!strcmp(word, "end")) {
		read_end(r);
	} else if (!strcmp(word, "connection")) {
		r->connection = number(r);
	} else if (!strcmp(word, "want")) {
		read_want(r);
	} else {
		r->at = 0;
		read_record(r, number(r));
	}
}

void scene_read(struct scene *s, const char *path)
{
	struct reading r = { .s = s, .path = path, .connection = 1 };
	FILE *f = fopen(path, "re");
	char *line = NULL, *word, *rest;
	size_t room = 0;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	memset(s, 0, sizeof(*s));
	memcpy(s->header.magic, TCPHS_MAGIC, sizeof(s->header.magic));
	s->header.byte_order = TCPHS_BYTE_ORDER;
	s->header.abi_major = TCPHS_ABI_MAJOR;
	s->header.abi_minor = TCPHS_ABI_MINOR;
	s->header.header_size = TCPHS_HEADER_SIZE;
	s->header.record_size = TCPHS_RECORD_SIZE;
	s->header.cpus = 1;
	s->header.ring_records = 8192;
	s->header.session = 1;
	s->header.segments = TCPHS_SEGMENTS_HANDSHAKE;
	/* 2025-01-01 00:00 UTC */
	s->header.wall_offset = 1735689600LL * 1000000000;
	strcpy(s->header.hostname, "scene");
	strcpy(s->header.release, "6.1.0");
	while (getline(&line, &room, f) > 0) {
		r.line++;
		line[strcspn(line, "#\n")] = '\0';
		r.words = r.at = 0;
		rest = line;
		while ((word = strsep(&rest, " \t")))
			if (*word && r.words < 64)
				r.word[r.words++] = word;
		if (r.words)
			read_line(&r);
	}
	free(line);
	fclose(f);
}

void scene_free(struct scene *s)
{
	size_t i;

	for (i = 0; i < s->wants; i++) {
		free(s->want[i].what);
		free(s->want[i].value);
	}
	free(s->want);
	free(s->record);
}
