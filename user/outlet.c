// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "memory.h"
#include "message.h"
#include "outlet.h"

/* Of links that lead to each other the kernel follows no more. */
enum { LINKS = 40 };

/* ---- what is read --------------------------------------------------------- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int tcphs_outlet_refuse(const struct tcphs_settings *s, const char *name,
			const struct stat *st)
{
	struct stat in;
	size_t i;

	/* Of a terminal or a pipe nothing is lost. */
	if (!S_ISREG(st->st_mode))
		return TCPHS_EXIT_DONE;
	for (i = 0; i < s->nfiles; i++) {
		if (strcmp(s->files[i], "-") ? stat(s->files[i], &in) : fstat(STDIN_FILENO, &in))
			continue;
		if (!same_file(&in, st))
			continue;
		tcphs_message_print("%s: this is the recording itself: use another name for -o",
				    name);
		return TCPHS_EXIT_USAGE;
	}
	return TCPHS_EXIT_DONE;
}

/* ---- signals -------------------------------------------------------------- */

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
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = stop };
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sigaction old;

		/* nohup's wish stands. */
		if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
}

/* ---- opening -------------------------------------------------------------- */

/* How much of a path names the directory, with the slash. */
static int directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash - path + 1 : 0;
}

/* A link of /proc/PID/fd, where /dev/fd and /dev/stdout lead: to a file that is open. */
static bool is_descriptor(const char *at)
{
	const char *name = at + directory(at);
	struct statfs fs;
	bool found;
	int fd;

	if (!*name || name[strspn(name, "0123456789")])
		return false;
	fd = open(at, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	found = !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
	close(fd);
	return found;
}

/*
 * Where `name` leads to, of which the last part may not be there yet; and not further
 * than to a descriptor.
 */
static char *follow(const char *name)
{
	char *at = tcphs_memory_text(name), link[PATH_MAX];
	unsigned int i;

	for (i = 0; i < LINKS; i++) {
		ssize_t n = is_descriptor(at) ? -1 : readlink(at, link, sizeof(link) - 1);
		char *next;
		size_t size;

		if (n < 0)
			break;
		link[n] = '\0';
		size = strlen(at) + n + 1;
		next = tcphs_memory_get(1, size);
		snprintf(next, size, "%.*s%s", *link == '/' ? 0 : directory(at), at, link);
		free(at);
		at = next;
	}
	return at;
}

/* One of ours goes on where it is, of another process what is there stays. */
static int open_descriptor(const char *at, const struct stat *st)
{
	int number = atoi(at + directory(at));
	struct stat own;

	if (!fstat(number, &own) && same_file(&own, st))
		return fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return open(at, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
}

bool tcphs_outlet_descriptor(const char *name, const struct stat *st, int *fd)
{
	char *at = S_ISREG(st->st_mode) ? follow(name) : NULL;
	bool found = at && is_descriptor(at);

	if (found)
		*fd = open_descriptor(at, st);
	free(at);
	return found;
}

/* A new file beside the target, which no signal leaves there. -1: see errno. */
static int make_part(struct tcphs_outlet *o)
{
	static const char name[] = ".tcphs.XXXXXX";
	size_t size = strlen(o->target) + sizeof(name);
	sigset_t all, before;
	int fd, error;

	o->part = tcphs_memory_get(1, size);
	snprintf(o->part, size, "%.*s%s", directory(o->target), o->target, name);
	catch();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	fd = mkostemp(o->part, O_CLOEXEC);
	error = errno;
	if (fd >= 0)
		unfinished = o->part;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return fd;
}

/* As the one that it replaces; a file system without owners and modes has its own. */
static void dress(int fd, const struct stat *was, mode_t mode)
{
	if (was) {
		mode = was->st_mode & 0777;
		/* What its group may do is not for ours. */
		if (fchown(fd, was->st_uid, was->st_gid) && fchown(fd, -1, was->st_gid))
			mode &= ~0070;
	}
	fchmod(fd, mode);
}

static int open_into(const struct tcphs_outlet *o)
{
	return open(o->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

static int open_part(struct tcphs_outlet *o, const struct stat *was, mode_t mode)
{
	int fd;

	o->target = follow(o->name);
	fd = make_part(o);
	if (fd >= 0)
		dress(fd, was, mode);
	return fd;
}

/* To what the shell appends by name that is not to be replaced, either. */
static bool is_stdout(const struct stat *st)
{
	struct stat out;

	return !fstat(STDOUT_FILENO, &out) && same_file(&out, st);
}

static void forget(struct tcphs_outlet *o)
{
	free(o->part);
	free(o->target);
	o->part = o->target = NULL;
}

int tcphs_outlet_open(struct tcphs_outlet *o, const struct tcphs_settings *s, mode_t mode)
{
	struct stat st;
	int fd = -1, error;

	*o = (struct tcphs_outlet){ .name = s->output };
	o->existed = !stat(o->name, &st);
	if (o->existed && tcphs_outlet_refuse(s, o->name, &st))
		return TCPHS_EXIT_USAGE;
	if (o->existed && !S_ISREG(st.st_mode))
		fd = open_into(o);
	else if (o->existed && tcphs_outlet_descriptor(o->name, &st, &fd))
		;
	else if (o->existed && is_stdout(&st))
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	else if (o->existed ? !faccessat(AT_FDCWD, o->name, W_OK, AT_EACCESS) : errno == ENOENT)
		fd = open_part(o, o->existed ? &st : NULL, mode);
	o->to = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (o->to)
		return TCPHS_EXIT_DONE;
	error = errno;
	tcphs_message_print("%s: %s%s", o->name, o->part && o->existed ?
			    "cannot be replaced: no file can be made beside it: " : "",
			    strerror(error));
	if (fd >= 0)
		close(fd);
	if (unfinished)
		unlink(unfinished);
	unfinished = NULL;
	forget(o);
	return TCPHS_EXIT_FAILED;
}

/* ---- closing -------------------------------------------------------------- */

void tcphs_outlet_check(struct tcphs_outlet *o)
{
	if (ferror(o->to) && !o->error)
		o->error = errno ? errno : EIO;
}

bool tcphs_outlet_close(struct tcphs_outlet *o, bool whole)
{
	errno = 0;
	if (whole && fflush(o->to) && !o->error)
		o->error = errno ? errno : EIO;
	tcphs_outlet_check(o);
	if (fclose(o->to) && !o->error)
		o->error = errno ? errno : EIO;
	if (o->part && whole && !o->error && rename(o->part, o->target))
		o->error = errno;
	if (o->part && (!whole || o->error))
		unlink(o->part);
	unfinished = NULL;
	/* Who reads from a FIFO may have had enough. */
	if (!o->part && o->error == EPIPE)
		o->error = 0;
	if (o->error > 0)
		tcphs_message_print("%s: %s%s", o->name, strerror(o->error),
				    !o->part ? "" : o->existed ? ": it is as it was" :
				    ": it was not made");
	forget(o);
	return !o->error;
}
