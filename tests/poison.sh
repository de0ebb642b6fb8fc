#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# No byte of old memory and no address of the kernel is in any record. For that
# a build of the module fills each slot of the ring with rubbish before a record
# is written there:
#
#	make -C tests poison KDIR=<kernel build directory>
#
# What a record leaves out would be delivered; poison.py knows every byte.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

# ask_tool: for window_traffic
ask_tool() {
	echo "./poison.py save '$WORK/events.bin'"
}

begin
TCPHS_KO=${TCPHS_POISON_KO:-$TESTS_DIR/tcphs_poison.ko}
[ -e "$TCPHS_KO" ] ||
	skip_all "no $TCPHS_KO: \`make -C tests poison KDIR=...\` makes it"
is "the module is the poisoned one" "$(modinfo -F poison "$TCPHS_KO")" 0xa5
kernel_mark
# The addresses themselves, for poison.py.
was=$(cat /proc/sys/kernel/kptr_restrict)
defer sh -c "echo $was >/proc/sys/kernel/kptr_restrict"
echo 1 >/proc/sys/kernel/kptr_restrict
place_loopback
place_netns
loopback_patient
netns_patient
for mode in handshake all none; do
	comment "segments=$mode"
	module_load "segments=$mode" ring_kb=4096
	rm -rf "$WORK/trace"
	window_open 4096
	window_traffic close close_and_wait three_segment raw_syn,family=inet reset_linger reset_unread refused half_close options \
		listener opened,talk=1,family=v4mapped
	window_close
	relayed ./poison.py check "$mode" "$WORK"
	# What a text shows of it.
	is "segments=$mode: no address in the text files" "$(cat /proc/tcphs/timeline \
		/proc/tcphs/stats /proc/tcphs/filter | grep -cE '(0x)?ff[0-9a-f]{14}')" 0
done

# A ring so small that it is overwritten all the time: records of lost ones.
module_load ring_kb=4
./churn.py --count 50 --workers 1 "$NS_LO" >/dev/null
./poison.py save "$WORK/events.bin"
relayed ./poison.py check lossy "$WORK"
kernel_quiet "the kernel did not complain"
finish
