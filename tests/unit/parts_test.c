// SPDX-License-Identifier: GPL-2.0
/* The small pure parts: numbers, names, addresses, options, table, matching. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "match.h"
#include "memory.h"
#include "names.h"
#include "number.h"
#include "options.h"
#include "table.h"
#include "tap.h"

/* ---- numbers -------------------------------------------------------------- */

static void test_number(void)
{
	char text[TCPHS_NUMBER_SIZE];

	tap_ok(tcphs_number_before(1, 2) && !tcphs_number_before(2, 1) &&
	       !tcphs_number_before(7, 7), "number: before");
	tap_ok(tcphs_number_before(0xfffffff0, 5) && !tcphs_number_before(5, 0xfffffff0),
	       "number: before, around 2^32");
	tap_text(tcphs_number_count(0, text), "0", "number: count 0");
	tap_text(tcphs_number_count(999, text), "999", "number: count 999");
	tap_text(tcphs_number_count(1000, text), "1,000", "number: count 1,000");
	tap_text(tcphs_number_count(UINT64_MAX, text), "18,446,744,073,709,551,615",
		 "number: the largest count");
	tap_text(tcphs_number_span(40, text), "0.0 us", "number: 40 ns");
	tap_text(tcphs_number_span(9940, text), "9.9 us", "number: 9.94 us");
	tap_text(tcphs_number_span(43210, text), "43 us", "number: 43 us");
	tap_text(tcphs_number_span(999499, text), "999 us", "number: 999 us");
	tap_text(tcphs_number_span(999500, text), "1.00 ms", "number: 1 ms");
	tap_text(tcphs_number_span(44812000, text), "44.8 ms", "number: 44.8 ms");
	tap_text(tcphs_number_span(999499000, text), "999 ms", "number: 999 ms");
	tap_text(tcphs_number_span(60000000000ULL, text), "60.0 s", "number: 60 s");
}

/* ---- names ---------------------------------------------------------------- */

static void test_names(void)
{
	char text[TCPHS_NAMES_FLAGS_SIZE];
	unsigned int i;
	bool all = true;

	for (i = 1; i <= TCPHS_STATE_MAX; i++)
		all &= tcphs_names_state(i) != NULL;
	tap_ok(all, "names: every state has one");
	tap_ok(!tcphs_names_state(0) && !tcphs_names_state(TCPHS_STATE_MAX + 1) &&
	       !tcphs_names_state(UINT32_MAX), "names: other numbers have none");
	tap_text(tcphs_names_flags(TCPHS_SYN | TCPHS_ACK, text), "SYN,ACK", "names: SYN,ACK");
	tap_text(tcphs_names_flags(0xff, text), "SYN,FIN,RST,PSH,ACK,URG,ECE,CWR",
		 "names: all flags");
	tap_text(tcphs_names_flags(0, text), "none", "names: no flag");
	tap_ok(!tcphs_names_reason(TCPHS_REASON_UNKNOWN), "names: no reason");
	tap_text(tcphs_names_error(110), "ETIMEDOUT", "names: an error");
}

/* ---- addresses ------------------------------------------------------------ */

static bool as_inet_ntop(const uint8_t address[16], bool inet6)
{
	char got[TCPHS_ADDRESS_SIZE], want[INET6_ADDRSTRLEN];

	tcphs_address_text(address, inet6, got);
	inet_ntop(inet6 ? AF_INET6 : AF_INET, address, want, sizeof(want));
	if (!strcmp(got, want))
		return true;
	tap_note("got %s, want %s", got, want);
	return false;
}

/* Every pattern of words that are zero, short, long; and those that hold IPv4. */
static void test_address_text(void)
{
	static const uint16_t some[] = { 0, 0xffff, 1, 0x20, 0x300, 0xabcd };
	uint8_t address[16];
	bool good = true;
	unsigned int i, k;

	for (i = 0; i < 100000 && good; i++) {
		for (k = 0; k < 8; k++) {
			uint16_t word = i < 256 ? (i >> k & 1) * 0x1f0 : some[rand() % 6];

			if (i >= 256 && (k < 4 || rand() % 2))
				word = 0;
			address[2 * k] = word >> 8;
			address[2 * k + 1] = word;
		}
		good = as_inet_ntop(address, true);
	}
	tap_ok(good, "address: IPv6 as inet_ntop() writes it");
	for (good = true, i = 0; i < 10000 && good; i++) {
		for (k = 0; k < 4; k++)
			address[k] = rand() % 3 ? rand() : rand() % 12;
		good = as_inet_ntop(address, false);
	}
	tap_ok(good, "address: IPv4 as inet_ntop() writes it");
}

static void test_address(void)
{
	struct tcphs_record r = { .flags = TCPHS_INET6, .sport = 65535, .dport = 80 };
	char text[TCPHS_ADDRESS_SIZE];
	struct tcphs_tuple t, m, back;

	memset(r.saddr, 0xff, sizeof(r.saddr));
	r.saddr[12] = r.saddr[13] = 0xab;
	inet_pton(AF_INET6, "2001:db8::1", r.daddr);
	tcphs_address_tuple(&r, &t);
	tap_text(tcphs_address_end(t.local, true, t.lport, text),
		 "[ffff:ffff:ffff:ffff:ffff:ffff:abab:ffff]:65535", "address: the longest");
	tap_text(tcphs_address_end(t.remote, true, t.rport, text), "[2001:db8::1]:80",
		 "address: IPv6");
	tap_text(tcphs_address_end(t.remote, true, 0, text), "[2001:db8::1]:?",
		 "address: an unknown port is never 0");
	tcphs_address_mirror(&t, &m);
	tcphs_address_mirror(&m, &back);
	tap_ok(tcphs_address_equal(&t, &back) && !tcphs_address_equal(&t, &m),
	       "address: the mirror's mirror");
	tap_ok(tcphs_address_hash(&t) == tcphs_address_hash(&back), "address: hash");
	r.flags = TCPHS_NO_LOCAL_PORT;
	tcphs_address_tuple(&r, &t);
	tap_ok(!t.lport && tcphs_address_any(t.local) && t.rport == 80 &&
	       !tcphs_address_whole(&t), "address: no local end yet");
	/* What is behind an IPv4 address does not count. */
	r.flags = 0;
	tcphs_address_tuple(&r, &t);
	memset(r.saddr + 4, 0, 12);
	memset(r.daddr + 4, 0, 12);
	tcphs_address_tuple(&r, &m);
	tap_ok(tcphs_address_equal(&t, &m), "address: 4 bytes of IPv4 count");
}

/* ---- options -------------------------------------------------------------- */

static void segment(struct tcphs_segment *s, const char *hex)
{
	unsigned int byte, i = 0;

	memset(s, 0, sizeof(*s));
	for (; sscanf(hex, "%2x", &byte) == 1 && i < sizeof(s->options); hex += 2)
		s->options[i++] = byte;
	s->offset = (5 + (i + 3) / 4) << 4;
}

static void test_options(void)
{
	struct tcphs_segment s;
	struct tcphs_options o;
	char cookie[33];
	unsigned int i, k;

	segment(&s, "020405b40402080a0000000a0000000b0103030722060102030401010000");
	tcphs_options_decode(&s, &o);
	tap_ok(o.has_mss && o.mss == 1460 && o.sack_permitted && o.has_timestamps &&
	       o.tsval == 10 && o.tsecr == 11 && o.has_wscale && o.wscale == 7 &&
	       !o.malformed && !o.mptcp, "options: of a SYN");
	tap_ok(o.has_fastopen && o.cookie_len == 4, "options: Fast Open cookie");
	tap_text(tcphs_options_cookie(&o, cookie), "01020304", "options: its text");
	tap_number(tcphs_options_header(&s), 52, "options: header length");
	segment(&s, "22020101");
	tcphs_options_decode(&s, &o);
	tap_ok(o.has_fastopen && !o.cookie_len, "options: Fast Open request");
	segment(&s, "fe08f989aabbccdd");
	tcphs_options_decode(&s, &o);
	tap_ok(o.has_fastopen && o.cookie_len == 4, "options: experimental Fast Open");
	segment(&s, "1e0c00810000000000000000");
	tcphs_options_decode(&s, &o);
	tap_ok(o.mptcp && !o.malformed, "options: MPTCP");
	segment(&s, "020405b4031eaabb");
	tcphs_options_decode(&s, &o);
	tap_ok(o.has_mss && o.malformed, "options: a length past the header");
	segment(&s, "020405b408000000");
	tcphs_options_decode(&s, &o);
	tap_ok(o.has_mss && o.malformed, "options: a length of 0");
	segment(&s, "020405b408010000");
	tcphs_options_decode(&s, &o);
	tap_ok(o.malformed, "options: a length of 1");
	segment(&s, "01010102");
	tcphs_options_decode(&s, &o);
	tap_ok(o.malformed, "options: a kind at the very end");
	segment(&s, "2216000102030405060708090a0b0c0d0e0f10111213");
	tcphs_options_decode(&s, &o);
	tap_ok(!o.has_fastopen && !o.malformed, "options: a cookie of 20 bytes is none");
	/* Nothing in the data offset or the bytes may lead astray. */
	srand(1);
	for (i = 0; i < 200000; i++) {
		for (k = 0; k < sizeof(s.options); k++)
			s.options[k] = rand() >> 8;
		s.offset = rand() >> 8;
		tcphs_options_decode(&s, &o);
		tcphs_options_cookie(&o, cookie);
	}
	tap_ok(true, "options: 200,000 random headers");
}

/* ---- table ---------------------------------------------------------------- */

struct entry {
	struct tcphs_table_link link;
	unsigned int number;
};

static void test_table(void)
{
	enum { COUNT = 5000 };
	struct entry *entry = calloc(COUNT, sizeof(*entry));
	struct tcphs_table t = { 0 };
	struct tcphs_table_link *l;
	unsigned int i, found = 0;
	bool order = true;

	/* Ten entries of each hash. */
	for (i = 0; i < COUNT; i++) {
		entry[i].number = i;
		tcphs_table_add(&t, &entry[i].link, i % (COUNT / 10));
	}
	for (l = tcphs_table_first(&t, 7); l; l = tcphs_table_next(l)) {
		if (((struct entry *)l)->number != COUNT - COUNT / 10 * (found + 1) + 7)
			order = false;
		found++;
	}
	tap_number(found, 10, "table: all of one hash are found");
	tap_ok(order, "table: the newest first, also after growing");
	for (i = 0; i < COUNT; i += 2)
		tcphs_table_remove(&t, &entry[i].link);
	tap_ok(!tcphs_table_first(&t, 8) && tcphs_table_first(&t, 7) &&
	       t.count == COUNT / 2, "table: removing");
	tcphs_table_free(&t);
	free(entry);
}

/* ---- matching ------------------------------------------------------------- */

static void sight(struct tcphs_sight *to, const struct tcphs_segment *s, uint64_t ts)
{
	to->ts = ts;
	to->segment = s;
	to->covered = 0;
}

static void test_match(void)
{
	struct tcphs_segment syn = { .flags = TCPHS_SYN, .seq = 1000, .offset = 0x80 };
	struct tcphs_segment late = syn;
	struct tcphs_segment ack = { .flags = TCPHS_ACK, .seq = 1001, .ack = 7 };
	struct tcphs_segment fin = { .flags = TCPHS_FIN | TCPHS_ACK, .seq = 1001, .len = 3000 };
	struct tcphs_segment tail = { .flags = TCPHS_FIN | TCPHS_ACK, .seq = 3001, .len = 1000 };
	struct tcphs_sight out[4] = { 0 }, in[4] = { 0 };

	/* The timestamp option tells which copy it was. */
	late.options[0] = 1;
	sight(&out[0], &syn, 0);
	sight(&out[1], &late, 1000);
	sight(&in[0], &syn, 1001);
	tcphs_match_find(out, 2, in, 1, 0);
	tap_ok(out[0].partner == 0 && out[1].partner == TCPHS_MATCH_NONE,
	       "match: a late first copy");
	/* Without it, the usual delay does. */
	sight(&out[0], &ack, 0);
	sight(&out[1], &ack, 1000);
	sight(&out[2], &fin, 2000);
	sight(&in[0], &ack, 1010);
	sight(&in[1], &tail, 2010);
	tcphs_match_find(out, 3, in, 2, 0);
	tap_ok(out[0].partner == TCPHS_MATCH_NONE && out[1].partner == 0,
	       "match: the usual delay decides between copies");
	tap_ok(out[2].partner == 1, "match: a FIN on data that arrives on its last cut");
	/* Equal ones keep their order. */
	sight(&out[0], &ack, 0);
	sight(&out[1], &ack, 1);
	sight(&out[2], &fin, 5);
	sight(&in[0], &ack, 100);
	sight(&in[1], &ack, 101);
	sight(&in[2], &tail, 105);
	tcphs_match_find(out, 3, in, 3, 0);
	tap_ok(out[0].partner == 0 && out[1].partner == 1, "match: order of equal ones");
	/* Also when the usual delay would have it otherwise. */
	sight(&out[0], &ack, 0);
	sight(&out[1], &ack, 10);
	sight(&out[2], &fin, 50);
	sight(&in[0], &ack, 30);
	sight(&in[1], &ack, 31);
	sight(&in[2], &tail, 70);
	tcphs_match_find(out, 3, in, 3, 0);
	tap_ok(out[0].partner == 0 && out[1].partner == 1 && in[0].partner == 0 &&
	       in[1].partner == 1, "match: nothing overtakes its like");
	/* Nothing arrives before it was sent. */
	sight(&out[0], &ack, 50);
	sight(&in[0], &ack, 49);
	tcphs_match_find(out, 1, in, 1, 0);
	tap_ok(out[0].partner == TCPHS_MATCH_NONE && in[0].partner == TCPHS_MATCH_NONE,
	       "match: not before it was sent");
	/* But where the clocks disagree by as much. */
	tcphs_match_find(out, 1, in, 1, 1);
	tap_ok(out[0].partner == 0 && in[0].partner == 0,
	       "match: before it was sent, by clocks that disagree");
	/* The usual delay is below 0 then. */
	sight(&out[0], &ack, 50);
	sight(&out[1], &ack, 150);
	sight(&out[2], &fin, 200);
	sight(&in[0], &ack, 141);
	sight(&in[1], &tail, 191);
	tcphs_match_find(out, 3, in, 2, 10);
	tap_ok(out[0].partner == TCPHS_MATCH_NONE && out[1].partner == 0 &&
	       out[2].partner == 1, "match: the usual delay by clocks that disagree");
}

int main(void)
{
	test_number();
	test_names();
	test_address();
	test_address_text();
	test_options();
	test_table();
	test_match();
	return tap_end();
}
