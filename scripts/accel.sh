#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Says which QEMU accelerator carries a kernel here: kvm or tcg.
#
# usage: scripts/accel.sh DIRECTORY	(what scripts/kernel.sh image prints)
#
# That /dev/kvm can be opened proves little (nested or restricted hosts): it is
# tried, once for each host kernel, QEMU, user and guest kernel, and the answer
# kept in build/accel.

. "$(dirname "$0")/common.sh"

[ $# = 1 ] || usage 2
kernel=$1
answers=$build/accel
readarray -t emulator < <("$top/scripts/qemu.sh")
key="$(uname -r) $("${emulator[@]}" --version | head -n 1) $(id -u) $kernel"

# Boots as far as the first process, under KVM.
carries() {
	local log=$1
	timeout -k 1 20 "${emulator[@]}" -accel kvm -cpu host -M pc -smp 2 -m 512 \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$kernel/vmlinuz" -initrd "$kernel/initramfs.gz" \
		-serial "file:$log" \
		-append "console=ttyS0 panic=-1 tcphs.probe" </dev/null || true
	grep -aq '^tcphs vm: probe ok' "$log"
}

probe() {
	local log answer=tcg
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 0
	if grep -qxF "$key: kvm" "$answers" 2>/dev/null || grep -qxF "$key: tcg" "$answers" 2>/dev/null; then
		return
	fi
	say "trying whether KVM carries the kernel here"
	log=$(mktemp)
	# The shell, too, reports a QEMU that crashed; it is an answer.
	if { carries "$log"; } >/dev/null 2>&1; then
		answer=kvm
	else
		say "it does not; the VM is emulated (TCG), which is slower"
	fi
	rm -f "$log"
	echo "$key: $answer" >>"$answers"
}

locked accel probe
# Without access there is nothing to try, and no answer to keep.
answer=$(grep -sF "$key: " "$answers" | tail -n 1) || answer=tcg
echo "${answer##*: }"
