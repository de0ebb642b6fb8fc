// SPDX-License-Identifier: GPL-2.0
/* What tracepoints call their probes under where it is SRCU alone (7.2). */
#include <linux/srcu.h>

class_srcu_fast_notrace_t *try;
