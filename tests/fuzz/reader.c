// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command.h"
#include "reader.h"

/* Files in memory, and how to open them: recordings of two hosts. */
static int recording[2] = { -1, -1 };
static char recording_path[2][40];
static int printed = -1;	/* what stands behind stdout */
static char directory[40];
static const char *const suffixes[] = { "pcapng", "svg", "mmd", "png" };
static pid_t owner;

static void fail(const char *why, const char *what)
{
	fprintf(stderr, "fuzz: %s: %.200s\n", why, what);
	abort();
}

static char *export_path(unsigned int format)
{
	static char path[80];

	snprintf(path, sizeof(path), "%s/x.%s", directory, suffixes[format]);
	return path;
}

/* A recorded crash must leave nothing behind either. */
static void clean(void)
{
	unsigned int i;

	if (getpid() != owner)
		return;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		unlink(export_path(i));
	rmdir(directory);
}

static bool make_directory(const char *where)
{
	snprintf(directory, sizeof(directory), "%s/tcphs-fuzz.XXXXXX", where);
	return mkdtemp(directory);
}

static void begin(void)
{
	size_t i;

	if (printed >= 0)
		return;
	for (i = 0; i < 2; i++) {
		recording[i] = memfd_create("recording", 0);
		if (recording[i] < 0)
			fail("cannot begin", "no memory");
		snprintf(recording_path[i], sizeof(recording_path[i]),
			 "/proc/self/fd/%d", recording[i]);
	}
	printed = memfd_create("printed", 0);
	/* The commands print to stdout: it is this file from now on. */
	stdout = fdopen(printed, "w+");
	if (printed < 0 || !stdout)
		fail("cannot begin", "no memory");
	/* In memory where it can be: a fuzzer writes thousands of files a second. */
	if (!make_directory("/dev/shm") && !make_directory("/tmp"))
		fail("cannot begin", "no room in /dev/shm or /tmp");
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	setenv("COLUMNS", "80", 1);
	owner = getpid();
	atexit(clean);
}

void reader_choose(struct reader_choice *c, const uint8_t data[2])
{
	struct tcphs_settings *s = &c->settings;

	memset(c, 0, sizeof(*c));
	c->command = data[0];
	c->two = data[0] & 0x10;
	s->json = data[1] & 1;
	s->explain = data[1] & 2;
	s->ascii = data[1] & 4;
	s->absolute = data[1] & 8;
	s->color = data[1] & 16 ? TCPHS_COLOR_ALWAYS : TCPHS_COLOR_NEVER;
	s->times = (data[1] >> 5) % (TCPHS_TIMES_MAX + 1);
	s->netns = data[0] & 0x80 ? 4026532000U : 0;
	s->strict = data[0] & 0x40;
}

static void write_recordings(struct reader_choice *c, const struct reader_recording *r,
			     size_t count)
{
	static const char *files[2];
	size_t i;

	begin();
	c->settings.files = files;
	c->settings.nfiles = count;
	for (i = 0; i < count; i++) {
		files[i] = recording_path[i];
		if (ftruncate(recording[i], 0) ||
		    pwrite(recording[i], r[i].bytes, r[i].size, 0) != (ssize_t)r[i].size)
			fail("cannot write the recording", "no memory");
	}
	rewind(stdout);
	if (ftruncate(printed, 0))
		fail("cannot empty the output", "");
}

/* What was printed, with a NUL behind it; to be freed. */
static char *get_printed(size_t *size)
{
	off_t end;
	char *text;

	fflush(stdout);
	end = lseek(printed, 0, SEEK_END);
	text = calloc(1, end + 1);
	if (!text || pread(printed, text, end, 0) != end)
		fail("cannot read the output", "");
	*size = end;
	return text;
}

static void check_json(char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		json_error_t error;
		json_t *object;

		if (!*line)
			continue;
		object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
		if (!json_is_object(object))
			fail(error.text, line);
		json_decref(object);
	}
}

static void check_text(const char *text, size_t size, bool color)
{
	size_t i;

	for (i = 0; i < size; i++) {
		unsigned char c = text[i];

		if (c == '\n' || c >= 0x20 || (color && c == '\033'))
			continue;
		fail("a control character", text);
	}
	if (mbstowcs(NULL, text, 0) == (size_t)-1)
		fail("not UTF-8", text);
}

void reader_show(struct reader_choice *c, const struct reader_recording *r, size_t count)
{
	static int (*const commands[])(const struct tcphs_settings *s) = {
		tcphs_timeline_run, tcphs_list_run, tcphs_events_run, tcphs_live_run,
	};
	size_t length;
	char *text;

	write_recordings(c, r, count);
	commands[c->command % 4](&c->settings);
	text = get_printed(&length);
	check_text(text, length, c->settings.color == TCPHS_COLOR_ALWAYS);
	if (c->settings.json)
		check_json(text);
	free(text);
}

/* Whether the first line says that all is of one host and one load of the module. */
static bool is_of_one(const char *text)
{
	const char *end = strchr(text, '\n'), *host = strstr(text, "\"kind\":\"host\"");
	const char *none = strstr(text, "\"session\":null");

	return end && !(host && host < end) && !(none && none < end);
}

void reader_repeat(struct reader_choice *c, const struct reader_recording *r)
{
	size_t size, again_size;
	char *text, *again;

	c->settings.json = true;
	write_recordings(c, r, 1);
	tcphs_events_run(&c->settings);
	text = get_printed(&size);
	check_json(text);
	if (is_of_one(text)) {
		write_recordings(c, &(struct reader_recording){ (uint8_t *)text, size }, 1);
		if (tcphs_events_run(&c->settings))
			fail("the reader's own JSON is refused", text);
		again = get_printed(&again_size);
		if (size != again_size || memcmp(text, again, size))
			fail("read back it is another", again);
		free(again);
	}
	free(text);
}

/* libpcap, which is not ours, reads it to the end. */
static void check_pcapng(const char *path)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_open_offline(path, error);
	struct pcap_pkthdr *header;
	const u_char *data;
	int result;

	if (!pcap)
		fail("libpcap", error);
	while ((result = pcap_next_ex(pcap, &header, &data)) == 1)
		;
	if (result != PCAP_ERROR_BREAK)
		fail("libpcap", pcap_geterr(pcap));
	pcap_close(pcap);
}

/* Tags are closed, and what is special is written as an entity. */
static void check_xml(const char *text)
{
	static const char *const entities[] = { "amp;", "lt;", "gt;", "quot;", "apos;", "#" };
	bool tag = false, quoted = false;
	long depth = 0;
	const char *p;
	size_t i;

	for (p = text; *p; p++) {
		if (*p == '&') {
			for (i = 0; i < 6 && strncmp(p + 1, entities[i], strlen(entities[i])); i++)
				;
			if (i == 6)
				fail("a bare &", p);
		} else if (*p == '<') {
			if (tag)
				fail("< in a tag", p);
			tag = true;
			depth += p[1] == '/' ? -1 : 1;
		} else if (tag && *p == '"') {
			quoted = !quoted;
		} else if (tag && *p == '>' && !quoted) {
			tag = false;
			depth -= p[-1] == '/';
		}
	}
	if (tag || quoted || depth)
		fail("tags are not closed", text);
}

static void check_file(const char *path, const char *begins, bool xml)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;
	ssize_t size;

	if (!f)
		fail("no file", path);
	size = getdelim(&text, &room, '\0', f);
	if (size < 0 || !feof(f))
		fail("empty, or a NUL in the file", path);
	if (strncmp(text, begins, strlen(begins)))
		fail("begins otherwise", text);
	check_text(text, size, false);
	if (xml)
		check_xml(text);
	free(text);
	fclose(f);
}

void reader_export(struct reader_choice *c, const struct reader_recording *r,
		   size_t count)
{
	unsigned int format = c->command & 1 ? 1 : c->command & 2;
	const char *path;
	int status;

	write_recordings(c, r, count);
	path = export_path(format);
	unlink(path);
	c->settings.output = path;
	c->settings.json = false;
	status = tcphs_export_run(&c->settings);
	/* A recording that is none leaves no file. */
	if (access(path, F_OK)) {
		if (!status)
			fail("done, but no file", path);
		return;
	}
	if (format == 0)
		check_pcapng(path);
	else
		check_file(path, format == 1 ? "<svg " : "sequenceDiagram", format == 1);
}
