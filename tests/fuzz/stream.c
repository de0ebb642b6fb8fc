// SPDX-License-Identifier: GPL-2.0
#include "fuzz.h"
#include "reader.h"

int fuzz_stream(const uint8_t *data, size_t size)
{
	struct reader_choice c;
	size_t first;

	if (size < 2)
		return 0;
	reader_choose(&c, data);
	data += 2;
	size -= 2;
	first = c.two ? size / 2 : size;
	reader_show(&c, (struct reader_recording[]){
		{ data, first }, { data + first, size - first },
	}, 1 + c.two);
	return 0;
}
