// SPDX-License-Identifier: GPL-2.0
/* Who needs no protection from recursion says so (to 5.10); later who does. */
#include <linux/ftrace.h>

unsigned long try = FTRACE_OPS_FL_RECURSION_SAFE;
