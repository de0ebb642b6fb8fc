// SPDX-License-Identifier: GPL-2.0
/* What is written as JSON, beside what libjansson writes of the same values. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "value.h"

enum { ROUNDS = 20000, FLAGS = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY |
			       JSON_REAL_PRECISION(15) };

static struct tcphs_values values;
static char *written;
static size_t size;

static struct tcphs_values *begin(void)
{
	values.w.to = open_memstream(&written, &size);
	values.w.used = 0;
	values.more = false;
	return &values;
}

static char *end(void)
{
	tcphs_writer_flush(&values.w);
	fclose(values.w.to);
	return written;
}

/* Whether the text that was written is what jansson writes of `value`. */
static bool same(json_t *value)
{
	char *expected = json_dumps(value, FLAGS), *got = end();
	bool good = expected && !strcmp(expected, got);

	if (!good)
		printf("# jansson: %s\n# written: %s\n", expected, got);
	json_decref(value);
	free(expected);
	free(got);
	return good;
}

static bool same_text(const char *text)
{
	json_t *value = json_string(text);

	tcphs_value_text(begin(), NULL, text);
	return same(value ? value : json_null());
}

static void test_text(void)
{
	static const char *const bad[] = {
		"\xff", "a\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
		"\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "x\xe2\x82",
	};
	char text[24];
	bool good = true;
	size_t i, k;

	tap_ok(same_text(""), "value: no text");
	tap_ok(same_text("\"\\/\b\f\n\r\t\x01\x1f\x7f"), "value: escapes");
	tap_ok(same_text("→ \xc2\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf"), "value: not ASCII");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		good &= same_text(bad[i]);
	tap_ok(good, "value: not UTF-8 is null");
	for (i = 0; i < ROUNDS && good; i++) {
		for (k = 0; k < sizeof(text) - 1; k++)
			text[k] = rand() % 4 ? rand() % 128 : 0xc0 + rand() % 64;
		for (; k > 1 && rand() % 2; k--)
			text[k - 1] = 0x80 + rand() % 64;
		text[rand() % sizeof(text)] = '\0';
		text[sizeof(text) - 1] = '\0';
		good &= same_text(text);
	}
	tap_ok(good, "value: random text");
}

static uint64_t random_number(void)
{
	uint64_t value = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();

	return value >> rand() % 64;
}

static void test_numbers(void)
{
	uint64_t value = 1, us;
	bool good = true;
	int i;

	/* Every length. */
	for (i = 0; i < 20; i++, value *= 10) {
		tcphs_value_signed(begin(), NULL, value);
		good &= same(json_integer(value));
		tcphs_value_signed(begin(), NULL, value - 1);
		good &= same(json_integer(value - 1));
		tcphs_value_signed(begin(), NULL, -value);
		good &= same(json_integer(-value));
	}
	tcphs_value_signed(begin(), NULL, INT64_MIN);
	good &= same(json_integer(INT64_MIN));
	tap_ok(good, "value: numbers of each length");
	tcphs_value_number(begin(), NULL, UINT64_MAX);
	tap_ok(same(json_integer(-1)), "value: more than jansson's integers hold");
	for (good = true, i = 0; i < ROUNDS; i++) {
		value = random_number() >> 1;
		tcphs_value_number(begin(), NULL, value);
		good &= same(json_integer(value));
		/* So many digits a double has. */
		us = value % 1000000000000000;
		tcphs_value_us(begin(), NULL, us);
		good &= same(json_real(us / 1e3));
		tcphs_value_real(begin(), NULL, (int64_t)value / 1e9 - i);
		good &= same(json_real((int64_t)value / 1e9 - i));
	}
	tap_ok(good, "value: random numbers");
	tcphs_value_real(begin(), NULL, 1e-5);
	good = same(json_real(1e-5));
	tcphs_value_real(begin(), NULL, -2.5e300);
	good &= same(json_real(-2.5e300));
	tcphs_value_real(begin(), NULL, 0);
	good &= same(json_real(0));
	tap_ok(good, "value: reals");
}

static void test_structure(void)
{
	struct tcphs_values *v = begin();
	static const uint8_t byte[] = { 0x00, 0xa5, 0xff };
	json_error_t error;
	json_t *value;
	char *text;
	int i;

	tcphs_value_begin(v, NULL, '{');
	tcphs_value_begin(v, "empty", '[');
	tcphs_value_end(v, ']');
	tcphs_value_begin(v, "nothing", '{');
	tcphs_value_end(v, '}');
	tcphs_value_null(v, "null");
	tcphs_value_truth(v, "true", true);
	tcphs_value_truth(v, "false", false);
	tcphs_value_word(v, "word", "SYN_SENT");
	tcphs_value_hex(v, "hex", byte, sizeof(byte));
	tcphs_value_begin(v, "list", '[');
	tcphs_value_number(v, NULL, 1);
	tcphs_value_text(v, NULL, NULL);
	tcphs_value_end(v, ']');
	tcphs_value_end(v, '}');
	tap_text(end(), "{\"empty\":[],\"nothing\":{},\"null\":null,\"true\":true,\"false\":false,\"word\":\"SYN_SENT\",\"hex\":\"00a5ff\",\"list\":[1,null]}",
		 "value: objects and arrays");
	free(written);
	/* More than the writer has room for, in pieces of each size. */
	v = begin();
	tcphs_value_begin(v, NULL, '[');
	for (i = 0; i < 3000; i++) {
		text = malloc(i + 4);
		memset(text, 'x', i + 3);
		text[i + 3] = '\0';
		tcphs_value_text(v, NULL, text + i % 3);
		tcphs_value_number(v, NULL, i);
		free(text);
	}
	text = calloc(1, 20000);
	memset(text, 'y', 19999);
	tcphs_value_text(v, NULL, text);
	free(text);
	tcphs_value_end(v, ']');
	end();
	value = json_loads(written, 0, &error);
	tap_ok(json_array_size(value) == 6001, "value: longer than the writer's room");
	text = json_dumps(value, FLAGS);
	tap_ok(text && !strcmp(text, written), "value: nothing of it is lost");
	free(text);
	json_decref(value);
	free(written);
}

int main(void)
{
	test_text();
	test_numbers();
	test_structure();
	return tap_end();
}
