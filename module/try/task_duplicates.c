// SPDX-License-Identifier: GPL-2.0
/* That nf_dup_ipv4 is sending a copy, the task knows (6.16). */
#include <linux/sched.h>

bool try(void)
{
	return current->in_nf_duplicate;
}
