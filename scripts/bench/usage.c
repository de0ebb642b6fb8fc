// SPDX-License-Identifier: GPL-2.0
/*
 * What a command takes: "MICROSECONDS KIB", its user time and its peak memory, on
 * descriptor 3 when it has ended. The exit status is its own.
 *
 * usage: usage COMMAND [ARGUMENT...] 3>FILE
 *
 * The kernel counts what a process had before exec() as its peak, too: whoever starts
 * it must be small.
 */
#include <err.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage used;
	int status;
	pid_t pid;

	if (argc < 2)
		errx(2, "usage: usage COMMAND [ARGUMENT...] 3>FILE");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		execvp(argv[1], argv + 1);
		err(127, "%s", argv[1]);
	}
	if (wait4(pid, &status, 0, &used) < 0)
		err(1, "wait");
	dprintf(3, "%lld %ld\n", used.ru_utime.tv_sec * 1000000LL + used.ru_utime.tv_usec,
		used.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
