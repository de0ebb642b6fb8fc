// SPDX-License-Identifier: GPL-2.0
/* `tcphs export`: connections as packets, as a picture or as a diagram. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "command.h"
#include "help.h"
#include "mermaid.h"
#include "message.h"
#include "number.h"
#include "picture.h"
#include "story.h"

/* As many connections are drawn, unless -n says another number. */
#define DRAWN 20

enum format {
	PCAPNG,
	SVG,
	PNG,
	MERMAID,
	FORMATS,
};

static const char *const suffixes[FORMATS] = { ".pcapng", ".svg", ".png", ".mmd" };

struct export {
	const struct tcphs_settings *s;
	enum format format;
	FILE *to;
	bool created;		/* the file was not there before */
	bool begun;		/* the source is there, the old content is gone */
	int error;		/* errno of the first failed write */
	uint64_t number;
	uint64_t omitted;
	uint64_t packets;
	struct tcphs_capture *capture;
	struct tcphs_mermaid *mermaid;
	struct tcphs_picture picture;
};

/* ---- the file ------------------------------------------------------------- */

static bool open_file(struct export *e)
{
	const char *name = e->s->output;
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	e->created = fd >= 0;
	/* What was there is lost only when there is something to write. */
	if (fd < 0 && errno == EEXIST)
		fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		e->to = fdopen(fd, "w");
	if (!e->to) {
		tcphs_message_print("%s: %s", name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	return true;
}

static bool is_regular(const struct export *e)
{
	struct stat st;

	return !fstat(fileno(e->to), &st) && S_ISREG(st.st_mode);
}

/* The recording that is read is not to be written. */
static bool is_input(const struct export *e)
{
	struct stat in, out;
	size_t i;

	if (fstat(fileno(e->to), &out))
		return false;
	for (i = 0; i < e->s->nfiles; i++)
		if (!stat(e->s->files[i], &in) && in.st_dev == out.st_dev &&
		    in.st_ino == out.st_ino)
			return true;
	return false;
}

/* The file to be removed when the program is stopped in the middle of it. */
static const char *volatile unfinished;

static void stop(int number)
{
	if (unfinished)
		unlink(unfinished);
	signal(number, SIG_DFL);
	raise(number);
}

static void catch(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = stop };
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;

		/* nohup's wish stands. */
		if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

static void check(struct export *e)
{
	if (ferror(e->to) && !e->error)
		e->error = errno ? errno : EIO;
}

/* ---- what comes ----------------------------------------------------------- */

static void header(void *arg, const struct tcphs_input *in)
{
	const struct tcphs_header *h = tcphs_input_header(in);
	struct export *e = arg;
	struct tcphs_clock clock = { .wall_offset = h->wall_offset };

	if (e->begun)
		return;
	e->begun = true;
	if (is_regular(e)) {
		unfinished = e->s->output;
		catch();
		if (ftruncate(fileno(e->to), 0))
			e->error = errno;
	}
	switch (e->format) {
	case PCAPNG:
		e->capture = tcphs_capture_new(e->to, h, tcphs_help_name());
		break;
	case SVG:
	case PNG:
		e->picture.canvas = e->format == SVG ? tcphs_canvas_new_svg() :
						       tcphs_canvas_new_png();
		if (!e->picture.canvas)
			e->error = errno;
		e->picture.clock = clock;
		e->picture.absolute = e->s->absolute;
		e->picture.timewait_unseen = h->missing & TCPHS_MISSING_TIMEWAIT_END;
		break;
	case MERMAID:
		e->mermaid = tcphs_mermaid_new(e->to, &clock, e->s->absolute);
		break;
	default:
		break;
	}
	if (e->format == PCAPNG && h->segments == TCPHS_SEGMENTS_NONE)
		tcphs_message_print("no segments were recorded here: the module was loaded with segments=none");
	check(e);
}

static void connection(void *arg, const struct tcphs_connection *c)
{
	struct export *e = arg;

	if (e->error)
		return;
	if (e->format != PCAPNG && !e->s->count && e->number == DRAWN) {
		e->omitted++;
		return;
	}
	e->number++;
	errno = 0;
	if (e->capture)
		tcphs_capture_connection(e->capture, c, e->number);
	else if (e->mermaid)
		tcphs_mermaid_connection(e->mermaid, c, e->number);
	else
		tcphs_picture_connection(&e->picture, c, e->number);
	check(e);
}

static void listener(void *arg, const struct tcphs_end *l, const struct tcphs_context *x)
{
	/* A listener has no segments of its own. */
	(void)arg;
	(void)l;
	(void)x;
}

static void say(struct export *e, const char *text)
{
	tcphs_message_print("%s", text);
	if (e->picture.canvas)
		tcphs_picture_say(&e->picture, text);
	if (e->mermaid)
		tcphs_mermaid_say(e->mermaid, text);
}

static void finish(void *arg, uint64_t lost)
{
	struct export *e = arg;
	char text[160], count[TCPHS_NUMBER_SIZE];
	const char *why = NULL;

	(void)lost;
	errno = 0;
	if (!e->number)
		say(e, "no connection was found");
	if (e->omitted) {
		snprintf(text, sizeof(text),
			 "%s more connections are left out: choose by FILTER, or -n COUNT",
			 tcphs_number_count(e->omitted, count));
		say(e, text);
	}
	if (e->capture)
		e->packets = tcphs_capture_finish(e->capture);
	if (e->picture.canvas)
		why = tcphs_picture_finish(&e->picture, e->to);
	if (why) {
		tcphs_message_print("%s: %s", e->s->output, why);
		e->error = -1;
	}
	check(e);
}

/* ---- the command ---------------------------------------------------------- */

static bool find_format(struct export *e)
{
	const char *name = e->s->output;
	size_t length = strlen(name);

	for (e->format = 0; e->format < FORMATS; e->format++) {
		size_t suffix = strlen(suffixes[e->format]);

		if (length >= suffix &&
		    !strcasecmp(name + length - suffix, suffixes[e->format]))
			return true;
	}
	return false;
}

/* A file that is not whole is no good to anybody. */
static void remove_file(struct export *e)
{
	if (is_regular(e) && !unlink(e->s->output))
		tcphs_message_print("%s: removed, it was not whole", e->s->output);
}

static int close_file(struct export *e, int status)
{
	bool whole;

	if (!e->begun) {
		/* There was no source. */
		if (e->created)
			unlink(e->s->output);
		fclose(e->to);
		return status;
	}
	errno = 0;
	if (fflush(e->to) && !e->error)
		e->error = errno ? errno : EIO;
	whole = !e->error;
	if (e->error > 0)
		tcphs_message_print("%s: %s", e->s->output, strerror(e->error));
	if (!whole)
		remove_file(e);
	unfinished = NULL;
	if (fclose(e->to) && whole) {
		tcphs_message_print("%s: %s", e->s->output, strerror(errno));
		return TCPHS_EXIT_FAILED;
	}
	return whole ? status : TCPHS_EXIT_FAILED;
}

int tcphs_export_run(const struct tcphs_settings *s)
{
	struct export e = { .s = s };
	const struct tcphs_story story = {
		.header = header,
		.connection = connection,
		.listener = listener,
		.finish = finish,
		.arg = &e,
	};
	int status;

	if (!s->output) {
		tcphs_message_print("export: where to? Use: tcphs export -o FILE.pcapng, .svg, .png or .mmd");
		return TCPHS_EXIT_USAGE;
	}
	if (!find_format(&e)) {
		tcphs_message_print("export: %s: the name has to end in .pcapng, .svg, .png or .mmd",
				    s->output);
		return TCPHS_EXIT_USAGE;
	}
	if (!open_file(&e))
		return TCPHS_EXIT_FAILED;
	if (is_input(&e)) {
		tcphs_message_print("%s: this is the recording itself", s->output);
		fclose(e.to);
		return TCPHS_EXIT_USAGE;
	}
	status = tcphs_story_tell(s, &story);
	status = close_file(&e, status);
	tcphs_mermaid_free(e.mermaid);
	tcphs_canvas_free(e.picture.canvas);
	return status;
}
