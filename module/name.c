// SPDX-License-Identifier: GPL-2.0
/* The names of sockets that one reader was told: see name.h. */
#include "identity.h"
#include "name.h"

/**
 * tcphs_name_make() - the name of a socket, made and remembered
 * @names: of the reader
 * @address: not 0, which stands for none
 */
u64 tcphs_name_make(struct tcphs_names *names, u64 address)
{
	struct tcphs_name *entry;

	entry = &names->entry[hash_64(address, TCPHS_NAMES_BITS)];
	entry->name = tcphs_identity_name(address);
	entry->address = address;
	return entry->name;
}
