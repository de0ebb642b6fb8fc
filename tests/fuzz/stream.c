// SPDX-License-Identifier: GPL-2.0
#include "fuzz.h"
#include "reader.h"

int fuzz_stream(const uint8_t *data, size_t size)
{
	struct reader_choice c;

	if (size < 2)
		return 0;
	reader_choose(&c, data);
	reader_show(&c, data + 2, size - 2);
	return 0;
}
