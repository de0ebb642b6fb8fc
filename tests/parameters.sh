#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Module parameters: wrong ones are refused with a reason in the kernel log and
# leave nothing behind; a second insmod is refused and the first lives on.
. "$(dirname "$0")/lib.sh"

# refused PARAMETER=VALUE ERROR: insmod says ERROR, and dmesg names the parameter
refused() {
	local said
	echo "tcphs test: $1" >/dev/kmsg
	said=$(module_insert "$1" 2>&1)
	is "$1 is refused" $? 1
	contains "$1: the error" "$said" "$2"
	contains "$1: the reason" "$(dmesg | sed "1,/tcphs test: ${1%%=*}/d")" "${1%%=*}"
	check "$1: nothing is left" test ! -e /proc/tcphs -a ! -e /sys/module/tcphs
}

# accepted PARAMETER=VALUE STAT WANTED: it loads, and stats have a line STAT
accepted() {
	if ! module_insert "$1" 2>/dev/null; then
		fail "$1 is accepted" "$(dmesg | tail -n 3)"
		return
	fi
	is "$1 is accepted" "$(sed -n "s/^$2 //p" /proc/tcphs/stats)" "$3"
	rmmod tcphs
}

# memory LINE: KiB
memory() {
	sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo
}

# A ring that would fit, if others had not taken the memory: they live on.
scarce_memory() {
	local kb=4 cpus
	cpus=$(nproc)
	while [ $((4 * kb * cpus)) -le "$(memory MemTotal)" ]; do
		kb=$((2 * kb))
	done
	mkdir "$WORK/memory"
	mount -t tmpfs -o size=95% tmpfs "$WORK/memory"
	head -c $((($(memory MemAvailable) - kb * cpus + 32768) * 1024)) /dev/zero >"$WORK/memory/taken"
	comment "$(memory MemAvailable) KiB are available, $((kb * cpus)) wanted"
	refused "ring_kb=$kb" "Cannot allocate memory"
	contains "it says why" "$(dmesg | tail -n 5)" "more than the memory that is available"
	umount "$WORK/memory"
	is "nobody was killed for it" "$(dmesg | grep -c 'Out of memory')" 0
}

begin
module_away
[ -n "$TCPHS_KO" ] || skip_all "needs the module's file, not modprobe"
kernel_mark

invalid="Invalid parameters"
refused segments=bogus "$invalid"
refused segments= "$invalid"
refused segments=1 "$invalid"
refused segments "$invalid"
refused ring_kb=0 "$invalid"
refused ring_kb=-1 "$invalid"
refused ring_kb=x "$invalid"
refused ring_kb=4294967295 "$invalid"
refused ring_kb=99999999999 "Numerical result out of range"
kb=$(memory MemTotal)
if [ "$kb" -lt 4194304 ]; then
	refused "ring_kb=$kb" "Cannot allocate memory"
	scarce_memory
else
	skip "a ring_kb of all the memory" "this machine has too much of it"
fi
refused ports=0 "$invalid"
refused ports=80,0 "$invalid"
refused ports=65536 "Numerical result out of range"
refused ports=http "$invalid"
refused "ports=$(seq -s , 1 65)" "$invalid"
refused gid=-2 "$invalid"
refused gid=wheel "$invalid"

accepted ring_kb=1 records_per_cpu 32
accepted ring_kb=7 records_per_cpu 64
accepted ring_kb=8 records_per_cpu 64
accepted ring_kb=1000 records_per_cpu 8192
accepted segments=none segments_mode none
accepted segments=all segments_mode all
accepted segments=handshake segments_mode handshake
accepted ports=80,443 filter set
accepted gid=0 filter off
accepted gid=-1 filter off
accepted no_such_parameter=1 filter off
contains "an unknown parameter is named" "$(dmesg | tail -n 5)" no_such_parameter

module_insert ring_kb=16
said=$(module_insert segments=none 2>&1)
is "a second insmod is refused" $? 1
contains "a second insmod: the error" "$said" "File exists"
is "the first has its parameters" "$(module_parameter segments)" handshake
is "the first has its ring" \
	"$(sed -n 's/^records_per_cpu //p' /proc/tcphs/stats)" 128
check "the first can be read" sh -c "head -c 256 /proc/tcphs/events | grep -aq ^TCPHS"
for parameter in ring_kb segments ports gid; do
	check "$parameter is described" \
		sh -c "modinfo -p '$TCPHS_KO' | grep -q '^$parameter:.'"
done
is "modinfo: licence" "$(modinfo -F license "$TCPHS_KO")" GPL
kernel_quiet "the kernel did not complain"
finish
