/* SPDX-License-Identifier: GPL-2.0 */
/* The names of sockets that one reader was told, remembered. */
#ifndef _TCPHS_NAME_H
#define _TCPHS_NAME_H

#include <linux/compiler.h>
#include <linux/hash.h>
#include <linux/types.h>

#define TCPHS_NAMES_BITS 8

/*
 * siphash costs about as much as all the rest of a record, and a connection's
 * records come close together: remembered results save most of it. A name
 * depends on the address alone, so an entry can never be stale.
 */
struct tcphs_names {
	struct tcphs_name {
		u64 address;
		u64 name;
	} entry[1 << TCPHS_NAMES_BITS];
};

/**
 * tcphs_name_find() - the name of a socket, if it is remembered
 * @names: of the reader; all zero at first
 * @address: of the socket; 0 stands for none
 * @name: set; 0 for none
 *
 * Return: false: tcphs_name_make() must make it first.
 */
static __always_inline bool tcphs_name_find(const struct tcphs_names *names,
					    u64 address, u64 *name)
{
	const struct tcphs_name *entry;

	entry = &names->entry[hash_64(address, TCPHS_NAMES_BITS)];
	*name = entry->name;
	if (likely(entry->address == address))
		return true;
	*name = 0;
	return !address;
}

u64 tcphs_name_make(struct tcphs_names *names, u64 address);

#endif /* _TCPHS_NAME_H */
