// SPDX-License-Identifier: GPL-2.0
#include "fuzz.h"
#include "play.h"

int fuzz_export(const uint8_t *data, size_t size)
{
	struct reader_recording r[2];
	struct reader_choice c;
	size_t count;

	if (size < 2)
		return 0;
	reader_choose(&c, data);
	if (data[0] & 0x20) {
		reader_export(&c, &(struct reader_recording){ data + 2, size - 2 }, 1);
		return 0;
	}
	count = play_make_all(data + 2, size - 2, c.two, r);
	reader_export(&c, r, count);
	play_free(r, count);
	return 0;
}
