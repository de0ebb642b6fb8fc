#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On a kernel without the state tracepoint the module does not load: ENOENT,
# and the kernel log names what is missing. No such kernel is at hand, so this
# takes a build of the module that asks for a tracepoint which no kernel has:
#
#	make -C tests absent KDIR=<kernel build directory>
. "$(dirname "$0")/lib.sh"

begin
absent=${TCPHS_ABSENT_KO:-$TESTS_DIR/tcphs_absent.ko}
[ -e "$absent" ] ||
	skip_all "no $absent: \`make -C tests absent KDIR=...\` makes it"
module_away
kernel_mark

said=$(insmod "$absent" 2>&1)
is "insmod is refused" $? 1
# That is how insmod spells ENOENT.
contains "the error" "$said" "Unknown symbol in module"
contains "the kernel log names the tracepoint" "$(kernel_since)" \
	"no tracepoint tcphs_absent"
check "nothing is left" test ! -e /proc/tcphs -a ! -e /sys/module/tcphs
check "the true module still loads" module_insert
kernel_quiet "the kernel did not complain"
finish
