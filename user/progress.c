// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "stop.h"

#define PATIENCE_NS 2000000000ULL
#define STEP_NS 250000000ULL

static uint64_t begun;
static uint64_t next;
static bool shown;

static bool wanted(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb");
}

void tcphs_progress_show(const char *what, double share)
{
	uint64_t now = tcphs_stop_now();

	if (!begun) {
		begun = now;
		next = wanted() ? now + PATIENCE_NS : UINT64_MAX;
	}
	if (now < next)
		return;
	next = now + STEP_NS;
	if (share >= 0)
		fprintf(stderr, "\r%s: %.0f %%\033[K", what, share * 100);
	else
		fprintf(stderr, "\r%s: %.0f s\033[K", what, (now - begun) / 1e9);
	fflush(stderr);
	shown = true;
}

void tcphs_progress_wipe(void)
{
	if (!shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	shown = false;
}

void tcphs_progress_yield(void)
{
	if (!shown || !isatty(STDOUT_FILENO))
		return;
	tcphs_progress_wipe();
	/* The rows are progress enough for a while. */
	next = tcphs_stop_now() + PATIENCE_NS;
}
