/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_TABLE_H
#define TCPHS_TABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A hash table of entries that contain their own link. Entries with the same
 * hash are found newest first.
 */
struct tcphs_table_link {
	struct tcphs_table_link *next;
	uint64_t hash;
};

struct tcphs_table {
	struct tcphs_table_link **bucket;
	size_t buckets;		/* a power of two, or 0 before the first entry */
	size_t count;
};

void tcphs_table_add(struct tcphs_table *t, struct tcphs_table_link *l, uint64_t hash);

/* `l` must be in the table. */
void tcphs_table_remove(struct tcphs_table *t, struct tcphs_table_link *l);

/* The newest entry with this hash, then the next older one; NULL after the last. */
static inline struct tcphs_table_link *
tcphs_table_first(const struct tcphs_table *t, uint64_t hash)
{
	struct tcphs_table_link *l = t->buckets ? t->bucket[hash & (t->buckets - 1)] : NULL;

	while (l && l->hash != hash)
		l = l->next;
	return l;
}

static inline struct tcphs_table_link *tcphs_table_next(const struct tcphs_table_link *l)
{
	struct tcphs_table_link *next = l->next;

	while (next && next->hash != l->hash)
		next = next->next;
	return next;
}

/* Forget the buckets; the entries are the caller's. */
void tcphs_table_free(struct tcphs_table *t);

#endif
