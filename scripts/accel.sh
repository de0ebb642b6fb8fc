#!/bin/bash
# Says which QEMU accelerator carries a kernel here: kvm or tcg.
#
#	usage: scripts/accel.sh KERNEL INITRAMFS
#
# That /dev/kvm can be opened proves little (nested or restricted hosts): it is
# tried, once for each host kernel and QEMU, and the answer kept in build/accel.
. "$(dirname "$0")/common.sh"

kernel=$1 initramfs=$2
key="$(uname -r) $(qemu-system-x86_64 --version | head -n 1) $(id -u) $(stat -c %Y "$kernel")"

probe() {
	local log answer=tcg
	if [ "$(head -n 1 "$build/accel" 2>/dev/null)" = "$key" ]; then
		return
	fi
	if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
		say "trying whether KVM carries the kernel here"
		log=$(mktemp)
		timeout -k 1 20 qemu-system-x86_64 -accel kvm -cpu host -M pc -smp 2 -m 512 \
			-nodefaults -no-user-config -display none -no-reboot \
			-kernel "$kernel" -initrd "$initramfs" -serial "file:$log" \
			-append "console=ttyS0 panic=-1 tcphs.probe" </dev/null >/dev/null 2>&1 || true
		if grep -aq '^tcphs vm: probe ok' "$log"; then
			answer=kvm
		fi
		rm -f "$log"
		say "it $([ "$answer" = kvm ] && echo does || echo 'does not; emulating (TCG), which is slower')"
	fi
	printf '%s\n%s\n' "$key" "$answer" >"$build/accel"
}

locked accel probe
tail -n 1 "$build/accel"
