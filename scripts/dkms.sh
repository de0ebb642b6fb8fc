#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module by DKMS: built now for each kernel whose headers are installed, and
# by itself for each kernel that is installed later.
#
# usage: scripts/dkms.sh [install | remove | source | version]
#
#	install		puts the source into /usr/src/tcphs-VERSION, builds and
#			installs; a DKMS package of an older version is removed
#	remove		takes all of it back; a loaded module stays until rmmod
#	source		only the source, into DESTDIR/usr/src: for packages
#	version		prints the module's
#
# install and remove need root.

. "$(dirname "$0")/common.sh"

version=$(sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' "$top/module/main.c")
source=${DESTDIR:-}/usr/src/tcphs-$version

# What a build of the module needs, and nothing else.
put_source() {
	install -d "$source/module"/{try,uapi}
	install -m 644 "$top"/{Kbuild,Makefile} "$source/"
	install -m 644 "$top"/module/*.[ch] "$source/module/"
	install -m 644 "$top"/module/uapi/*.h "$source/module/uapi/"
	install -m 644 "$top"/module/try/*.c "$source/module/try/"
	sed "s/#MODULE_VERSION#/$version/" "$top/scripts/dkms/dkms.conf" >"$source/dkms.conf"
	chmod 644 "$source/dkms.conf"
}

as_root() {
	[ "$(id -u)" = 0 ] || die "needs root: sudo make dkms-$1"
	command -v dkms >/dev/null || die "dkms is not installed: apt install dkms"
}

# Every version that DKMS knows, and its source.
take_back() {
	local known
	for known in /var/lib/dkms/tcphs/[0-9]*; do
		known=${known##*/}
		if [ -e "/var/lib/dkms/tcphs/$known/source" ]; then
			if dpkg -S "/usr/src/tcphs-$known/dkms.conf" >/dev/null 2>&1; then
				die "tcphs $known belongs to the package tcphs-dkms: apt remove tcphs-dkms"
			fi
			dkms remove "tcphs/$known" --all
		fi
		rm -rf "/usr/src/tcphs-$known"
	done
	# Without versions DKMS leaves the name behind.
	rmdir /var/lib/dkms/tcphs 2>/dev/null || true
}

kernels() {
	local directory
	for directory in /lib/modules/*; do
		if [ -e "$directory/build/Makefile" ]; then
			echo "${directory##*/}"
		fi
	done
}

put() {
	local kernel built="" refused=()
	take_back
	put_source
	dkms add "tcphs/$version"
	for kernel in $(kernels); do
		if dkms install "tcphs/$version" -k "$kernel" --force; then
			built=1
		else
			refused+=("$kernel")
		fi
	done
	[ ${#refused[@]} = 0 ] ||
		die "not built for ${refused[*]}; DKMS has said why, and for each: /var/lib/dkms/tcphs/$version/build/make.log"
	[ -n "$built" ] ||
		say "no kernel's headers are installed: apt install linux-headers-$arch; DKMS builds the module then"
}

case "${1:-install}" in
install)
	as_root install
	put
	;;
remove)
	if ! command -v dkms >/dev/null && [ ! -e /var/lib/dkms/tcphs ]; then
		exit 0
	fi
	as_root remove
	take_back
	;;
source) put_source ;;
version) echo "$version" ;;
*) usage 2 ;;
esac
