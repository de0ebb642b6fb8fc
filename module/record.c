// SPDX-License-Identifier: GPL-2.0
/* Names of sockets: see record.h; the rest of a record is sealed in seal.h. */
#include <linux/hash.h>

#include "identity.h"
#include "record.h"

/**
 * tcphs_record_name() - the name of a socket, made and remembered
 * @names: of the reader
 * @address: not 0, which stands for none
 */
u64 tcphs_record_name(struct tcphs_names *names, u64 address)
{
	struct tcphs_name *entry;

	entry = &names->entry[hash_64(address, TCPHS_NAMES_BITS)];
	entry->name = tcphs_identity_name(address);
	entry->address = address;
	return entry->name;
}
