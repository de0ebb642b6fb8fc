#!/bin/bash
# Gets the VM's kernel and the headers to build a module for it, both of one
# Debian version, into build/kernel/SUITE-FLAVOUR; installs nothing.
#
#	usage: scripts/kernel.sh [image | headers | release]
#
# image (the default) prints the directory that holds
#	vmlinuz, release	the kernel and what `uname -r` says in it
#	modules.ext4		its modules, for the guest's /lib/modules
#	initramfs.gz		busybox and the drivers of the VM's disks
# headers prints a directory for KDIR=, release what uname -r says.
# SUITE= and FLAVOUR= (cloud-amd64, amd64, rt-amd64 ...) choose another kernel.
. "$(dirname "$0")/common.sh"
. "$top/scripts/archive.sh"

# Debian's cloud flavour has all that the tests need (veth, netem, nftables,
# conntrack, SCTP, MPTCP, kprobes, ftrace), boots faster and is a third as big.
PATH=$PATH:/sbin:/usr/sbin

flavour=${FLAVOUR:-cloud-$arch}
kernel=$build/kernel/$suite-$flavour

# What the initramfs must load before the root is mounted.
drivers="virtio_pci virtio_blk virtio_console ext4"

unpack() {
	local package
	rm -rf "$kernel/debs"
	archive_fetch "$kernel/debs" "$@"
	for package in "$kernel"/debs/*.deb; do
		dpkg-deb -x "$package" "$kernel/root"
	done
	rm -rf "$kernel/debs"
}

# The headers name their other half by its installed path; make them movable.
relocate_headers() {
	local makefile
	for makefile in "$kernel"/root/usr/src/linux-headers-*/Makefile; do
		# shellcheck disable=SC2016 # for make, not for the shell
		sed -i 's|^include /usr/src/|include $(dir $(lastword $(MAKEFILE_LIST)))../|' "$makefile"
	done
	ln -sfn "root/usr/src/linux-headers-$1" "$kernel/headers"
}

make_modules_image() {
	local release=$1 tree=$kernel/modules
	rm -rf "$tree"
	mkdir -p "$tree/lib/modules"
	# Since 2024 some suites ship them under /usr.
	if [ -d "$kernel/root/usr/lib/modules/$release" ]; then
		cp -a "$kernel/root/usr/lib/modules/$release" "$tree/lib/modules/"
	else
		cp -a "$kernel/root/lib/modules/$release" "$tree/lib/modules/"
	fi
	rm -f "$tree/lib/modules/$release"/{build,source}
	depmod -b "$tree" "$release"
	"$top/scripts/image.sh" "$tree/lib/modules" "$kernel/modules.ext4"
}

get_image() {
	local meta=linux-image-$flavour package release
	if [ -e "$kernel/image.ready" ]; then
		return
	fi
	archive_open
	package=$(archive_depends "$meta" | grep -m 1 '^linux-image-' || true)
	[ -n "$package" ] || die "$suite has no kernel $meta"
	release=${package#linux-image-}
	say "fetching the kernel $release ($(archive_version "$package"))"
	rm -rf "$kernel"
	mkdir -p "$kernel"
	unpack "$package"
	cp "$kernel/root/boot/vmlinuz-$release" "$kernel/vmlinuz"
	cp "$kernel/root/boot/config-$release" "$kernel/config"
	archive_version "$package" >"$kernel/version"
	echo "$release" >"$kernel/release"
	make_modules_image "$release"
	"$top/scripts/initramfs.sh" "$kernel/modules" "$release" "$kernel/initramfs.gz" "$drivers"
	rm -rf "$kernel/root/lib/modules" "$kernel/root/usr/lib/modules"
	touch "$kernel/image.ready"
}

get_headers() {
	local release version package packages=()
	get_image
	if [ -e "$kernel/headers.ready" ]; then
		return
	fi
	archive_open
	release=$(<"$kernel/release")
	version=$(<"$kernel/version")
	for package in $(archive_depends "linux-headers-$release" | grep -E '^linux-(headers|kbuild)-'); do
		packages+=("$package=$version")
	done
	say "fetching the headers of $release ($version)"
	unpack "linux-headers-$release=$version" "${packages[@]}"
	relocate_headers "$release"
	touch "$kernel/headers.ready"
}

case "${1:-image}" in
image)
	locked "kernel-$suite-$flavour" get_image
	echo "$kernel"
	;;
headers)
	locked "kernel-$suite-$flavour" get_headers
	echo "$kernel/headers"
	;;
release)
	locked "kernel-$suite-$flavour" get_image
	cat "$kernel/release"
	;;
*)
	die "usage: scripts/kernel.sh [image | headers | release]"
	;;
esac
