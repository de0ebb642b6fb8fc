// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "fuzz.h"

int fuzz_filter(const uint8_t *data, size_t size)
{
	struct tcphs_tuple t = { 0 }, mirror;
	struct tcphs_filter *filter;
	char *text;

	if (size < 37)
		return 0;
	t.inet6 = data[0] & 1;
	memcpy(t.local, data + 1, t.inet6 ? 16 : 4);
	memcpy(t.remote, data + 17, t.inet6 ? 16 : 4);
	t.lport = data[33] << 8 | data[34];
	t.rport = data[35] << 8 | data[36];
	text = calloc(1, size - 37 + 1);
	if (!text)
		abort();
	memcpy(text, data + 37, size - 37);
	filter = tcphs_filter_new(text);
	if (filter) {
		tcphs_address_mirror(&t, &mirror);
		/* It is asked of a connection, not of a direction. */
		if (tcphs_filter_match(filter, &t) != tcphs_filter_match(filter, &mirror))
			abort();
	}
	tcphs_filter_free(filter);
	free(text);
	return 0;
}
