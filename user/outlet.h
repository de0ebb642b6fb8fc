/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_OUTLET_H
#define TCPHS_OUTLET_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "settings.h"

/*
 * The file that -o names, of a command that writes it anew. A regular file, or none, is
 * replaced at once when all is written: until then, when that fails, and when a signal
 * stops the program, it is as it was. Of a symbolic link it is what that leads to.
 * What is no regular file, a device or a pipe, is written into, and so is a file that is
 * open already, by a link to its descriptor (/dev/stdout, /dev/fd/3).
 */
struct tcphs_outlet {
	const char *name;	/* as it was given */
	char *target;		/* the file to be replaced */
	char *part;		/* that is to replace it; NULL: it is written into */
	bool existed;
	FILE *to;
	int error;		/* errno of what went wrong first; below 0: it has been said */
};

/*
 * Open what s->output names; `mode` is that of a file which is not there yet: another
 * one keeps its own, and its owner where that is allowed. Returns TCPHS_EXIT_DONE, or
 * after a message another exit status: there is nothing to be closed then.
 */
int tcphs_outlet_open(struct tcphs_outlet *o, const struct tcphs_settings *s, mode_t mode);

/* After writing, while errno still says why: remember a failure. */
void tcphs_outlet_check(struct tcphs_outlet *o);

/*
 * Close it. `whole`: all is written, unless o->error says otherwise; else what is there
 * is thrown away. Returns false if something went wrong; it has been said.
 */
bool tcphs_outlet_close(struct tcphs_outlet *o, bool whole);

/*
 * Is `name`, of which `st` is what stat(2) says, a link to a descriptor of a regular file?
 * Then *fd is another descriptor to write into it by, where that one is, or -1: see errno.
 */
bool tcphs_outlet_descriptor(const char *name, const struct stat *st, int *fd);

/*
 * Is the file `name`, of which `st` is what stat(2) says, one that is read (-r, or
 * standard input by -r -)? Returns TCPHS_EXIT_DONE if not, else TCPHS_EXIT_USAGE after
 * a message.
 */
int tcphs_outlet_refuse(const struct tcphs_settings *s, const char *name,
			const struct stat *st);

#endif
