#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# First process of the VM, in its initramfs: mounts the guest's root and hands
# over to vm-guest.sh, which comes in with the job. POSIX sh, busybox only.
PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo "tcphs vm: kernel $(uname -r) is up"

while read -r module; do
	insmod "/modules/$module" || echo "tcphs vm: no driver $module"
done </modules/order

# Only asked whether this accelerator carries the kernel at all?
case " $(cat /proc/cmdline) " in
*" tcphs.probe "*)
	echo "tcphs vm: probe ok"
	reboot -f
	;;
esac

# disk SERIAL: the device whose serial number the host set to SERIAL.
disk() {
	local try block
	for try in 1 2 3 4 5 6 7 8 9 10; do
		for block in /sys/block/vd*; do
			if [ "$(cat "$block/serial" 2>/dev/null)" = "$1" ]; then
				echo "/dev/${block##*/}"
				return
			fi
		done
		sleep 0.2
	done
	echo "tcphs vm: no disk $1 after $try tries" >&2
}

mount -t ext4 -o noatime "$(disk root)" /root || exec reboot -f
modules=$(disk modules)
if [ -n "$modules" ]; then
	mkdir -p /root/lib/modules
	mount -t ext4 -o ro,noload "$modules" /root/lib/modules
fi
tar -x -f "$(disk job)" -C /root || exec reboot -f
mount --move /dev /root/dev
mount --move /proc /root/proc
mount --move /sys /root/sys
exec switch_root /root /bin/bash /.vm/guest.sh
