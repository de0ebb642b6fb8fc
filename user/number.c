// SPDX-License-Identifier: GPL-2.0
/* Numbers as text. */
#include <string.h>

#include "number.h"

static char *put_digits(char *to, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = '0' + value % 10;
		value /= 10;
	} while (value);
	memcpy(to, digits + at, sizeof(digits) - at);
	return to + sizeof(digits) - at;
}

char *tcphs_number_count(uint64_t count, char text[TCPHS_NUMBER_SIZE])
{
	char plain[20];
	int len = put_digits(plain, count) - plain;
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

/* So many of `step` ns, with `places` digits behind the point. Ties go to even. */
static char *put_span(char *text, uint64_t ns, uint64_t step, unsigned int places,
		      const char *unit)
{
	uint64_t count = ns / step, rest = ns % step, power = places > 1 ? 100 : 10;
	char *to;

	if (rest * 2 > step || (rest * 2 == step && count & 1))
		count++;
	if (!places)
		power = 1;
	to = put_digits(text, count / power);
	if (places) {
		*to++ = '.';
		if (places > 1)
			*to++ = '0' + count / 10 % 10;
		*to++ = '0' + count % 10;
	}
	strcpy(to, unit);
	return text;
}

char *tcphs_number_span(uint64_t ns, char text[TCPHS_NUMBER_SIZE])
{
	if (ns < 9950)
		return put_span(text, ns, 100, 1, " us");
	if (ns < 999500)
		return put_span(text, ns, 1000, 0, " us");
	if (ns < 9995000)
		return put_span(text, ns, 10000, 2, " ms");
	if (ns < 99950000)
		return put_span(text, ns, 100000, 1, " ms");
	if (ns < 999500000)
		return put_span(text, ns, 1000000, 0, " ms");
	if (ns < 9995000000)
		return put_span(text, ns, 10000000, 2, " s");
	return put_span(text, ns, 100000000, 1, " s");
}
