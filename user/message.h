/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_MESSAGE_H
#define TCPHS_MESSAGE_H

/* EXIT STATUS in tcphs(8) */
enum tcphs_exit {
	TCPHS_EXIT_DONE = 0,
	TCPHS_EXIT_FAILED = 1,
	TCPHS_EXIT_USAGE = 2,
	TCPHS_EXIT_ACCESS = 3,		/* no module, or no permission */
	TCPHS_EXIT_LOST = 4,		/* --strict, and records were lost */
};

/* "tcphs: ..." on stderr, one line, no newline needed. */
void tcphs_message_print(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Why the recording of that name could not be opened: errno. */
void tcphs_message_unopened(const char *name);

/*
 * From here on `to` gets the messages, without "tcphs: " and newline, in place of
 * stderr: while the screen is somebody's. NULL: stderr again.
 */
void tcphs_message_divert(void (*to)(void *arg, const char *text), void *arg);

#endif
