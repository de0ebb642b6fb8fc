// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "fuzz.h"
#include "play.h"
#include "reader.h"

int fuzz_tracker(const uint8_t *data, size_t size)
{
	struct reader_choice c;
	uint8_t *recording;
	size_t bytes;

	if (size < 2)
		return 0;
	reader_choose(&c, data);
	recording = play_make(data + 2, size - 2, &bytes);
	reader_show(&c, recording, bytes);
	free(recording);
	return 0;
}
