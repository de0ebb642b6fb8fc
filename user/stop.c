// SPDX-License-Identifier: GPL-2.0
/* When to stop following: a signal or the end of -d. */
#include <signal.h>
#include <stddef.h>
#include <time.h>

#include "stop.h"

static volatile sig_atomic_t asked;
static uint64_t deadline;

static void note(int number)
{
	(void)number;
	asked = 1;
}

void tcphs_stop_catch(double seconds)
{
	struct sigaction action = {
		.sa_handler = note,
		/* No SA_RESTART: a sleeping read() or poll() must return. */
		.sa_flags = SA_RESETHAND,
	};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGQUIT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (seconds > 0)
		deadline = tcphs_stop_now() + (uint64_t)(seconds * 1e9);
}

bool tcphs_stop_asked(void)
{
	return asked || (deadline && tcphs_stop_now() >= deadline);
}

bool tcphs_stop_reached(uint64_t ts)
{
	return ts ? asked || (deadline && ts >= deadline) : tcphs_stop_asked();
}

uint64_t tcphs_stop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
