// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "memory.h"
#include "table.h"

static void resize(struct tcphs_table *t, size_t buckets)
{
	struct tcphs_table_link **bucket = tcphs_memory_get(buckets, sizeof(*bucket));
	struct tcphs_table_link **tail, *l, *next;
	size_t i;

	/* Each chain keeps its order, newest first. */
	for (i = 0; i < t->buckets; i++) {
		for (l = t->bucket[i]; l; l = next) {
			next = l->next;
			l->next = NULL;
			for (tail = &bucket[l->hash & (buckets - 1)]; *tail;)
				tail = &(*tail)->next;
			*tail = l;
		}
	}
	free(t->bucket);
	t->bucket = bucket;
	t->buckets = buckets;
}

void tcphs_table_add(struct tcphs_table *t, struct tcphs_table_link *l, uint64_t hash)
{
	struct tcphs_table_link **head;

	if (t->count >= t->buckets)
		resize(t, t->buckets ? t->buckets * 2 : 64);
	head = &t->bucket[hash & (t->buckets - 1)];
	l->hash = hash;
	l->next = *head;
	*head = l;
	t->count++;
}

void tcphs_table_remove(struct tcphs_table *t, struct tcphs_table_link *l)
{
	struct tcphs_table_link **p = &t->bucket[l->hash & (t->buckets - 1)];

	while (*p != l)
		p = &(*p)->next;
	*p = l->next;
	t->count--;
}

void tcphs_table_free(struct tcphs_table *t)
{
	free(t->bucket);
	*t = (struct tcphs_table){ 0 };
}
