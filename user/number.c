// SPDX-License-Identifier: GPL-2.0
/* Numbers as text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

char *tcphs_number_count(uint64_t count, char text[TCPHS_NUMBER_SIZE])
{
	char plain[24];
	int len = snprintf(plain, sizeof(plain), "%" PRIu64, count);
	char *out = text;
	int i;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = plain[i];
	}
	*out = '\0';
	return text;
}

char *tcphs_number_span(uint64_t ns, char text[TCPHS_NUMBER_SIZE])
{
	double us = ns / 1e3;

	if (us < 9.95)
		snprintf(text, TCPHS_NUMBER_SIZE, "%.1f us", us);
	else if (us < 999.5)
		snprintf(text, TCPHS_NUMBER_SIZE, "%.0f us", us);
	else if (us < 9995)
		snprintf(text, TCPHS_NUMBER_SIZE, "%.2f ms", us / 1e3);
	else if (us < 99950)
		snprintf(text, TCPHS_NUMBER_SIZE, "%.1f ms", us / 1e3);
	else if (us < 999500)
		snprintf(text, TCPHS_NUMBER_SIZE, "%.0f ms", us / 1e3);
	else if (us < 9995000)
		snprintf(text, TCPHS_NUMBER_SIZE, "%.2f s", us / 1e6);
	else
		snprintf(text, TCPHS_NUMBER_SIZE, "%.1f s", us / 1e6);
	return text;
}
