#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Finds a QEMU that may emulate several CPUs, or gets one.
#
# usage: scripts/qemu.sh
#
# Prints the program, and the options that it needs to find its files, one a
# line. Before 8.1 QEMU could go on running the old instructions after another
# CPU had patched them. Loading the module patches the kernel's code under load,
# and a CPU then spins for ever in a breakpoint that is gone: about one in ten
# runs. Where the machine's own QEMU is older, a newer one is unpacked into
# build/qemu from the machine's release's backports; nothing is installed.
#
# QEMU=PROGRAM is taken as it is.

. "$(dirname "$0")/common.sh"

[ $# = 0 ] || usage 2
program=qemu-system-x86_64
wanted=8.1
own=$build/qemu

# version PROGRAM: 7.2.22, say
version() {
	"$@" --version | sed -n '1s/^QEMU emulator version \([0-9.]*\).*/\1/p'
}

new_enough() {
	[ "$(printf '%s\n' "$wanted" "$1" | sort -V | head -n 1)" = "$wanted" ]
}

backports() {
	local package release
	if [ -e "$own/ready" ]; then
		return
	fi
	release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	SUITE=$release-backports
	. "$top/scripts/archive.sh"
	archive_open
	say "unpacking a newer QEMU from $suite"
	rm -rf "$own"
	archive_fetch "$own/debs" qemu-system-x86 qemu-system-data seabios
	for package in "$own"/debs/*.deb; do
		dpkg-deb -x "$package" "$own/root"
	done
	rm -rf "$own/debs"
	version "$own/root/usr/bin/$program" >"$own/version"
	[ -s "$own/version" ] || die "the QEMU of $suite does not run here"
	touch "$own/ready"
}

if [ -n "${QEMU:-}" ]; then
	echo "$QEMU"
	exit
fi
need "$program" vm
found=$(version "$program")
if new_enough "$found"; then
	echo "$program"
	exit
fi
if ! (locked qemu backports); then
	say "going on with QEMU $found, which may hang when several CPUs are emulated"
	echo "$program"
	exit
fi
printf '%s\n' "$own/root/usr/bin/$program" \
	-L "$own/root/usr/share/qemu" -L "$own/root/usr/share/seabios"
