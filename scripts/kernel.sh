#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Gets the VM's kernel and the headers to build a module for it, both of one
# Debian version, into build/kernel/SUITE-FLAVOUR; installs nothing.
#
# usage: scripts/kernel.sh [image | headers | release]
#
# image (the default) prints the directory that holds
#	vmlinuz		the kernel
#	release		what `uname -r` says in it
#	version		of Debian's package
#	modules.ext4	its modules, for the guest's /lib/modules
#	initramfs.gz	busybox and the drivers of the VM's disks
# headers prints a directory for KDIR=; release what uname -r says.
#
# SUITE= and FLAVOUR= (cloud-amd64, amd64, rt-amd64 ...) choose another kernel of
# Debian's. With KERNEL=FILE image is about one's own kernel: KMODULES=TREE holds
# its modules in TREE/lib/modules (by `make modules_install INSTALL_MOD_PATH=TREE`)
# and may be left out when virtio_pci, virtio_blk, virtio_console and ext4 are
# built in. headers prints KDIR= when that is set.

. "$(dirname "$0")/archive.sh"

# Debian's cloud flavour has all that the tests need (veth, netem, nftables,
# conntrack, SCTP, MPTCP, kprobes, ftrace), boots faster and is a third as big.
flavour=${FLAVOUR:-cloud-$arch}
kernel=$build/kernel/$suite-$flavour

# What the initramfs must load before the root is mounted.
drivers="virtio_pci virtio_blk virtio_console ext4"

# What the initramfs is made by: another version of it makes another one.
recipe() {
	{ echo "$drivers"; cat "$top/scripts/vm-init.sh" "$top/scripts/initramfs.sh"; } |
		md5sum
}

unpack() {
	local package
	rm -rf "$kernel/debs"
	archive_fetch "$kernel/debs" "$@"
	for package in "$kernel"/debs/*.deb; do
		dpkg-deb -x "$package" "$kernel/root"
	done
	rm -rf "$kernel/debs"
}

# The headers name each other by where they would be installed; make them movable.
relocate_headers() {
	local makefile
	for makefile in "$kernel"/root/usr/src/linux-headers-*/Makefile; do
		# shellcheck disable=SC2016 # for make, not for the shell
		sed -i 's|/usr/src/|$(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)/|' "$makefile"
	done
	ln -sfn "root/usr/src/linux-headers-$1" "$kernel/headers"
}

# make_boot TREE: modules.ext4, initramfs.gz and release of the modules in
# TREE/lib/modules, which must be those of one kernel.
make_boot() {
	local tree=$1 release
	release=$(cd "$tree/lib/modules" && echo *)
	[ -d "$tree/lib/modules/$release" ] ||
		die "$tree/lib/modules must hold the modules of one kernel; it has: $release"
	depmod -b "$tree" "$release"
	"$top/scripts/image.sh" "$tree/lib/modules" "$kernel/modules.ext4"
	"$top/scripts/initramfs.sh" "$tree" "$release" "$kernel/initramfs.gz" "$drivers"
	echo "$release" >"$kernel/release"
}

# One's own kernel: what is made for it is kept apart by the files' paths.
get_own_image() {
	local made=$kernel/initramfs.gz tree
	if [ -e "$made" ] && [ "$made" -nt "$KERNEL" ] && [ "$made" -nt "$top/scripts/vm-init.sh" ] &&
		[ "$made" -nt "$top/scripts/initramfs.sh" ] &&
		{ [ -z "${KMODULES:-}" ] || [ "$made" -nt "$KMODULES/lib/modules" ]; }; then
		return
	fi
	rm -rf "$kernel"
	mkdir -p "$kernel"
	ln -s "$(realpath "$KERNEL")" "$kernel/vmlinuz"
	if [ -n "${KMODULES:-}" ]; then
		# A copy, because links to the build tree must not come along.
		tree=$kernel/modules
		mkdir -p "$tree/lib"
		cp -a "$KMODULES/lib/modules" "$tree/lib/modules"
		rm -f "$tree"/lib/modules/*/{build,source}
		make_boot "$tree"
		rm -rf "$tree"
	else
		echo unknown >"$kernel/release"
		"$top/scripts/initramfs.sh" "" "" "$made" ""
	fi
}

get_image() {
	local meta=linux-image-$flavour package release tree=$kernel/modules version file
	local packages=()
	if [ "$(cat "$kernel/image.ready" 2>/dev/null)" = "$(recipe)" ]; then
		return
	fi
	archive_open
	package=$(archive_depends "$meta" | grep -m 1 '^linux-image-' || true)
	[ -n "$package" ] || die "$suite has no kernel $meta"
	release=${package#linux-image-}
	version=$(archive_version "$package")
	say "fetching the kernel $release ($version)"
	rm -rf "$kernel"
	mkdir -p "$kernel" "$tree/lib"
	# Newer suites split the image into several packages of one name's ending.
	while read -r package; do
		packages+=("$package=$version")
	done < <(echo "$package"; archive_depends "$package" | grep -- "-$release\$" || true)
	unpack "${packages[@]}"
	if [ -d "$kernel/root/usr/lib/modules" ]; then
		mv "$kernel/root/usr/lib/modules" "$tree/lib/modules"
	else
		mv "$kernel/root/lib/modules" "$tree/lib/modules"
	fi
	# Newer suites keep the kernel with its modules.
	for file in vmlinuz config; do
		mv "$kernel/root/boot/$file-$release" "$kernel/$file" 2>/dev/null ||
			mv "$tree/lib/modules/$release/$file" "$kernel/$file"
	done
	make_boot "$tree"
	rm -rf "$kernel/root" "$tree"
	echo "$version" >"$kernel/version"
	recipe >"$kernel/image.ready"
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
	while read -r package; do
		case "$package" in
		linux-headers-*)
			packages+=("$package=$version")
			;;
		linux-kbuild-*)
			# These tools may be newer, and are while an update arrives: the
			# signed kernel comes some time after them.
			packages+=("$(archive_pinned "$package" "$version")")
			;;
		esac
	done < <(archive_depends "linux-headers-$release")
	say "fetching the headers of $release ($version)"
	unpack "linux-headers-$release=$version" "${packages[@]}"
	relocate_headers "$release"
	touch "$kernel/headers.ready"
}

get=get_image
if [ -n "${KERNEL:-}" ]; then
	[ -r "$KERNEL" ] || die "KERNEL=$KERNEL: no such file"
	kernel=$build/kernel/own-$(realpath "$KERNEL" "${KMODULES:-/}" | md5sum | cut -c 1-12)
	get=get_own_image
fi

case "${1:-image}" in
image)
	locked "kernel-${kernel##*/}" "$get"
	echo "$kernel"
	;;
headers)
	if [ -n "${KDIR:-}" ]; then
		echo "$KDIR"
	elif [ -n "${KERNEL:-}" ]; then
		die "with KERNEL= set, name its build directory too: KDIR=DIR"
	else
		locked "kernel-${kernel##*/}" get_headers
		echo "$kernel/headers"
	fi
	;;
release)
	locked "kernel-${kernel##*/}" "$get"
	cat "$kernel/release"
	;;
*)
	usage 2
	;;
esac
