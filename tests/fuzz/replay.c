// SPDX-License-Identifier: GPL-2.0
/*
 * Every input that the fuzzers kept, once more, each in a process of its own.
 *
 * usage: fuzz_test DIRECTORY
 *
 * DIRECTORY/stream, /tracker, ... hold the inputs of the targets of these names.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "tap.h"

enum { INPUT_MAX = 1 << 20, SECONDS = 60 };

static const struct {
	const char *name;
	int (*run)(const uint8_t *data, size_t size);
} targets[] = {
	{ "stream", fuzz_stream },
	{ "tracker", fuzz_tracker },
	{ "filter", fuzz_filter },
	{ "export", fuzz_export },
	{ "json", fuzz_json },
};

/* In a child. The size is exact, so that AddressSanitizer sees its end. */
static void run_file(int (*run)(const uint8_t *data, size_t size), const char *path)
{
	FILE *f = fopen(path, "r");
	uint8_t *room = malloc(INPUT_MAX), *data;
	size_t size;

	if (!f || !room)
		_exit(2);
	size = fread(room, 1, INPUT_MAX, f);
	fclose(f);
	data = malloc(size ? size : 1);
	if (!data)
		_exit(2);
	memcpy(data, room, size);
	free(room);
	alarm(SECONDS);
	run(data, size);
	free(data);
	/* exit(), not _exit(): LeakSanitizer has its say. */
	exit(0);
}

/* Returns how many inputs there are; each that fails is told. */
static unsigned int run_all(size_t target, const char *directory, unsigned int *failed)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort);
	unsigned int inputs = 0;
	char path[4400];
	int i, status;

	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		if (*entries[i]->d_name != '.') {
			inputs++;
			fflush(stdout);
			if (!fork()) {
				/* What the reader says of broken input is not news. */
				if (!getenv("VERBOSE") && !freopen("/dev/null", "w", stderr))
					_exit(2);
				run_file(targets[target].run, path);
			}
			if (wait(&status) < 0 || status) {
				tap_note("%s: wait status %#x; VERBOSE=1 shows more", path, status);
				(*failed)++;
			}
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return inputs;
}

int main(int argc, char **argv)
{
	size_t target;

	if (argc != 2) {
		fputs("usage: fuzz_test DIRECTORY\n", stderr);
		return 2;
	}
	for (target = 0; target < sizeof(targets) / sizeof(targets[0]); target++) {
		unsigned int failed = 0, inputs;
		char directory[4000];

		snprintf(directory, sizeof(directory), "%s/%s", argv[1], targets[target].name);
		inputs = run_all(target, directory, &failed);
		tap_ok(inputs && !failed, "the %u inputs that fuzzing %s kept", inputs,
		       targets[target].name);
	}
	return tap_end();
}
