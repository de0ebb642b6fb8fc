// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "reader.h"

int fuzz_json(const uint8_t *data, size_t size)
{
	struct reader_choice c;
	char *text;

	if (size < 2)
		return 0;
	reader_choose(&c, data);
	/* Whatever comes, it is taken for JSON. */
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, "{}\n", 3);
	memcpy(text + 3, data + 2, size - 2);
	reader_show(&c, &(struct reader_recording){ (uint8_t *)text, size + 1 }, 1);
	reader_repeat(&c, &(struct reader_recording){ (uint8_t *)text, size + 1 });
	free(text);
	return 0;
}
