// SPDX-License-Identifier: GPL-2.0
#include "summary.h"

/* Times up to 255 ns have a class each; then 128 for each doubling. */
static unsigned int class_of(uint64_t ns)
{
	unsigned int shift = 0, class;

	while (ns >> shift >= 2 * TCPHS_SUMMARY_FINE)
		shift++;
	class = shift * TCPHS_SUMMARY_FINE + (ns >> shift);
	return class < TCPHS_SUMMARY_CLASSES ? class : TCPHS_SUMMARY_CLASSES - 1;
}

/* The middle of a class, in which every one of its times is within 0.4 %. */
static uint64_t middle_of(unsigned int class)
{
	unsigned int shift;

	if (class < 2 * TCPHS_SUMMARY_FINE)
		return class;
	shift = class / TCPHS_SUMMARY_FINE - 1;
	return ((uint64_t)(class - shift * TCPHS_SUMMARY_FINE) << shift) +
	       (1ULL << shift) / 2;
}

void tcphs_summary_add(struct tcphs_summary *s, const struct tcphs_connection *c)
{
	s->connections++;
	s->opens[c->open]++;
	s->closes[c->close]++;
	s->wholes[c->whole]++;
	if (!c->opened)
		return;
	if (!s->handshakes || c->opened < s->shortest)
		s->shortest = c->opened;
	if (c->opened > s->longest)
		s->longest = c->opened;
	s->total += c->opened;
	s->count[class_of(c->opened)]++;
	s->handshakes++;
}

uint64_t tcphs_summary_percentile(const struct tcphs_summary *s, double percent)
{
	double wanted = s->handshakes * percent / 100;
	uint64_t seen = 0, ns;
	unsigned int i;

	if (!s->handshakes)
		return 0;
	for (i = 0; i < TCPHS_SUMMARY_CLASSES; i++) {
		seen += s->count[i];
		if (seen && seen >= wanted)
			break;
	}
	if (seen == s->handshakes)
		return s->longest;
	ns = middle_of(i);
	if (ns < s->shortest)
		ns = s->shortest;
	return ns > s->longest ? s->longest : ns;
}

size_t tcphs_summary_bars(const struct tcphs_summary *s,
			  struct tcphs_summary_bar bar[TCPHS_SUMMARY_BARS])
{
	static const unsigned int factor[] = { 2, 5, 10 };
	uint64_t decade = 1000, from = 0, to = 1000;
	size_t bars = 0, used = 0;
	unsigned int class = 0, step = 0, last = class_of(s->longest);

	while (s->handshakes && class <= last && bars < TCPHS_SUMMARY_BARS) {
		struct tcphs_summary_bar *b = &bar[bars];

		*b = (struct tcphs_summary_bar){ .from = from, .to = to };
		/* The last one has no upper end. */
		for (; class <= last &&
		       (middle_of(class) < to || bars == TCPHS_SUMMARY_BARS - 1); class++)
			b->count += s->count[class];
		if (b->count)
			used = bars + 1;
		/* Nothing yet: the first bar is the first that is not empty. */
		if (used)
			bars++;
		from = to;
		to = decade * factor[step];
		if (++step == 3) {
			step = 0;
			decade *= 10;
		}
	}
	return used;
}
