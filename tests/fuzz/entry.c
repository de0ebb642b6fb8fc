// SPDX-License-Identifier: GPL-2.0
/* TARGET is one of fuzz.h; libFuzzer knows this by another name: see the Makefile. */
#include "fuzz.h"

int fuzz_entry(const uint8_t *data, size_t size);

int fuzz_entry(const uint8_t *data, size_t size)
{
	return TARGET(data, size);
}
