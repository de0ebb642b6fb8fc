#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the VM's initramfs: busybox, the drivers of its disks, and vm-init.sh.
#
# usage: scripts/initramfs.sh TREE RELEASE FILE DRIVERS
#
# TREE/lib/modules/RELEASE holds the modules; DRIVERS is one word, separated by
# spaces. Drivers that are built in are left out. TREE may be "" when all are.

. "$(dirname "$0")/common.sh"

[ $# = 4 ] || usage 2
need busybox vm
need cpio vm

modules=$1 release=$2 file=$3 drivers=$4
tree=$(mktemp -d "$file.XXXXXX")
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree"/{bin,dev,proc,sys,root,modules}
cp "$(command -v busybox)" "$tree/bin/busybox"
cp "$top/scripts/vm-init.sh" "$tree/init"
chmod 755 "$tree/init"

: >"$tree/modules/order"
if [ -n "$modules" ]; then
	need modprobe vm
	for driver in $drivers; do
		modprobe --show-depends -d "$modules" -S "$release" "$driver" 2>/dev/null || true
	done | sed -n 's/^insmod //p' | awk '!seen[$1]++ { print $1 }' |
		while read -r path; do
			# Compressed ones (some suites) are unpacked: busybox is simple.
			case "$path" in
			*.xz) xz -dc "$path" >"$tree/modules/$(basename "$path" .xz)" ;;
			*.zst) zstd -qdc "$path" >"$tree/modules/$(basename "$path" .zst)" ;;
			*) cp "$path" "$tree/modules/" ;;
			esac
			basename "$path" | sed 's/\.\(xz\|zst\)$//' >>"$tree/modules/order"
		done
fi

(cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$file.new"
mv "$file.new" "$file"
