// SPDX-License-Identifier: GPL-2.0
/* Standard output: width, signs, colours, and whether it is still there. */
#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "output.h"
#include "stop.h"

#define FLUSH_NS 100000000ULL

/* A row has room behind OUT_FULL. */
enum { WIDTH = 80, WIDTH_MAX = 1000, OUT_BUFFER = 64 << 10, OUT_FULL = 48 << 10 };

enum { WAIT_MS = 100, WAITS_AT_END = 10 };

static int first_error;
static char *paced;		/* standard output's buffer, while it is paced */

static unsigned int find_width(bool terminal)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	long width = 0;

	if (terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		width = size.ws_col;
	if (!width && columns)
		width = strtol(columns, NULL, 10);
	if (width < 1)
		return WIDTH;
	return width > WIDTH_MAX ? WIDTH_MAX : width;
}

void tcphs_output_init(struct tcphs_output *o, const struct tcphs_settings *s)
{
	const char *none = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	o->terminal = isatty(STDOUT_FILENO);
	o->width = find_width(o->terminal);
	o->ascii = s->ascii || strcasecmp(nl_langinfo(CODESET), "UTF-8");
	if (s->color == TCPHS_COLOR_AUTO)
		o->color = o->terminal && !(none && *none) && term &&
			   strcmp(term, "dumb");
	else
		o->color = s->color == TCPHS_COLOR_ALWAYS;
}

const char *tcphs_output_paint(const struct tcphs_output *o, enum tcphs_paint p)
{
	static const char *const escape[] = {
		[TCPHS_PAINT_PLAIN] = "",
		[TCPHS_PAINT_DIM] = "\033[2m",
		[TCPHS_PAINT_STRONG] = "\033[1m",
		[TCPHS_PAINT_STATE] = "\033[36m",
		[TCPHS_PAINT_GOOD] = "\033[32m",
		[TCPHS_PAINT_WARN] = "\033[33m",
		[TCPHS_PAINT_BAD] = "\033[31m",
	};

	return o->color ? escape[p] : "";
}

const char *tcphs_output_plain(const struct tcphs_output *o)
{
	return o->color ? "\033[0m" : "";
}

size_t tcphs_output_columns(const char *text)
{
	size_t columns = 0;

	for (; *text; text++) {
		if (*text == '\033') {
			while (*text && *text != 'm')
				text++;
			if (!*text)
				break;
		} else if ((*text & 0xc0) != 0x80) {
			columns++;
		}
	}
	return columns;
}

char *tcphs_output_clean(const char *text, char *to, size_t size)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < size; i++) {
		unsigned char c = text[i];

		to[i] = c < 0x20 || c > 0x7e ? '?' : c;
	}
	to[i] = '\0';
	return to;
}

void tcphs_output_hosts(const struct tcphs_output *o, const struct tcphs_hosts *hosts)
{
	char text[TCPHS_HOST_TEXT];
	size_t i;

	if (!tcphs_host_several(hosts))
		return;
	for (i = 0; i < hosts->count; i++)
		printf("%sclock of%s %s\n", tcphs_output_paint(o, TCPHS_PAINT_STRONG),
		       tcphs_output_plain(o), tcphs_host_text(hosts, i, text));
	putchar('\n');
}

/*
 * What stands in the buffer, piece by piece: a write() that waits for who reads
 * would not end when the stream is to end. Returns an errno value, 0: done.
 */
static int drain(void)
{
	struct pollfd out = { .fd = fileno(stdout), .events = POLLOUT };
	struct stat st;
	size_t have = __fpending(stdout), done = 0;
	bool file = !fstat(out.fd, &st) && S_ISREG(st.st_mode);
	unsigned int waits = 0;
	ssize_t n;

	while (done < have) {
		if (poll(&out, 1, WAIT_MS) <= 0) {
			if (tcphs_stop_asked() && ++waits > WAITS_AT_END)
				return ETIMEDOUT;
			continue;
		}
		/* A pipe that is ready has room for so much. */
		n = write(out.fd, paced + done,
			  file || have - done < PIPE_BUF ? have - done : PIPE_BUF);
		if (n > 0) {
			done += n;
			waits = 0;
		} else if (n < 0 && errno != EINTR && errno != EAGAIN) {
			return errno;
		}
	}
	__fpurge(stdout);
	return 0;
}

/*
 * A stream whose full buffer could not be written in the middle of a printf() knows
 * that it failed, but with newer C libraries not why, and has nothing left to write.
 * The row is torn: that its line cannot be ended, either, tells.
 */
static int lost_reason(void)
{
	struct stat st;

	if (!fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode) &&
	    write(STDOUT_FILENO, "\n", 1) < 0)
		return errno;
	return EIO;
}

bool tcphs_output_flush(void)
{
	if (!first_error)
		first_error = tcphs_writer_error();
	errno = 0;
	if (first_error || ferror(stdout) || !paced) {
		if (!first_error && (fflush(stdout) || ferror(stdout)))
			first_error = errno ? errno : lost_reason();
	} else {
		first_error = drain();
	}
	/* Not tried again, at exit() neither. */
	if (first_error)
		__fpurge(stdout);
	return !tcphs_output_gone();
}

bool tcphs_output_gone(void)
{
	return first_error || ferror_unlocked(stdout);
}

/* Nobody reads what is written. The stream may not know: see lost_reason(). */
static bool pipe_closed(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

void tcphs_output_begin_pace(void)
{
	/* Without a buffer of ours glibc takes one of its own size. */
	static char buffer[OUT_BUFFER];

	tcphs_output_flush();
	if (!setvbuf(stdout, buffer, _IOFBF, sizeof(buffer)))
		paced = buffer;
}

bool tcphs_output_pace(uint64_t now, bool idle, struct tcphs_writer *row)
{
	static uint64_t flushed;

	/* Who has gone is noticed without a row that could not be written, too. */
	if (idle && pipe_closed())
		return false;
	if (!idle && now < flushed + FLUSH_NS && __fpending(stdout) < OUT_FULL)
		return true;
	flushed = now;
	if (row)
		tcphs_writer_flush(row);
	return tcphs_output_flush();
}

int tcphs_output_finish(void)
{
	if (tcphs_output_flush())
		return TCPHS_EXIT_DONE;
	/* Whoever read it has seen enough. */
	if (first_error == EPIPE || pipe_closed())
		return TCPHS_EXIT_DONE;
	tcphs_message_print("standard output: %s", first_error == ETIMEDOUT ?
			    "nobody took the last rows in a second: they are not written" :
			    strerror(first_error));
	return TCPHS_EXIT_FAILED;
}
