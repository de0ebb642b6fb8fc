// SPDX-License-Identifier: GPL-2.0
/* What compat.h includes is there, and the compiler and its flags are right. */
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/tcp.h>
#include <trace/events/tcp.h>
