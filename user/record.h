/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TCPHS_RECORD_H
#define TCPHS_RECORD_H

#include <stdint.h>

/*
 * Write what there is now of `from` (NULL: the module's ring) to the new file
 * `to`; one that exists is left as it is. *records: how many are in it. Returns
 * an exit status; other than TCPHS_EXIT_DONE after a message.
 */
int tcphs_record_save(const char *from, const char *to, uint64_t *records);

#endif
