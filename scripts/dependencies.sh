#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Installs what the project needs from this machine's package archive, by apt,
# with sudo when not root. Says what it installs; silent when all is there.
#
# usage: scripts/dependencies.sh [build | vm | lint | fuzz | deb | bench | fleet | scale]...
#
#	build	the module and the reader
#	vm	the virtual machine of `make check` and `make demo`
#	lint	the checkers of `make lint`
#	fuzz	the fuzzers of `make fuzz`
#	deb	to make Debian packages, and to try them with Secure Boot
#	bench	the picture of `make bench`
#	fleet	promtool, which judges `tcphs stats --prometheus`
#	scale	counts the instructions of `make bench-scale`
#
# Without an argument: build, vm and lint.
. "$(dirname "$0")/common.sh"

# One line each: purpose, package, and what shows that it is there: a command
# of the path or a file.
table="
build	gcc		gcc
build	make		make
build	libc6-dev	/usr/include/stdio.h
build	libjansson-dev	/usr/include/jansson.h
build	libpcap-dev	/usr/include/pcap/pcap.h
build	libcairo2-dev	/usr/include/cairo/cairo.h
build	libncurses-dev	/usr/include/ncursesw/curses.h
build	libelf1		/usr/lib/x86_64-linux-gnu/libelf.so.1
vm	gcc-12		gcc-12
vm	qemu-system-x86	qemu-system-x86_64
vm	qemu-system-data	/usr/share/qemu/keymaps/en-us
vm	seabios		/usr/share/seabios/bios-256k.bin
vm	mmdebstrap	mmdebstrap
vm	debian-archive-keyring	/usr/share/keyrings/debian-archive-keyring.gpg
vm	uidmap		newuidmap
vm	fakeroot	fakeroot
vm	e2fsprogs	mke2fs
vm	busybox-static	busybox
vm	cpio		cpio
vm	kmod		depmod
vm	xz-utils	xz
vm	zstd		zstd
vm	util-linux	flock
vm	mandoc		mandoc
vm	zsh		zsh
lint	sparse		sparse
lint	shellcheck	shellcheck
lint	perl		perl
fuzz	clang		clang
deb	dpkg-dev	dpkg-source
deb	debhelper	dh
deb	ovmf		/usr/share/OVMF/OVMF_CODE_4M.secboot.fd
deb	sbsigntool	sbsign
deb	openssl		openssl
bench	gnuplot-nox	gnuplot
fleet	prometheus	promtool
scale	valgrind	valgrind
"

purposes=${*:-build vm lint}
for purpose in $purposes; do
	case "$purpose" in
	build | vm | lint | fuzz | deb | bench | fleet | scale) ;;
	*) usage 2 ;;
	esac
done

there() {
	case "$1" in
	/*) [ -e "$1" ] ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# The compiler of the VM's kernel. On another Debian than its own, a root of that has
# it (scripts/toolroot.sh), and here there may be none.
here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}") || here=
[ "$here" = bookworm ] || table=$(grep -v '	gcc-12	' <<<"$table")

missing=()
while read -r purpose package shown; do
	if [ -n "$package" ] && [[ " $purposes " == *" $purpose "* ]] && ! there "$shown"; then
		missing+=("$package")
	fi
done <<<"$table"

if [ ${#missing[@]} = 0 ]; then
	exit 0
fi

command -v apt-get >/dev/null 2>&1 ||
	die "no apt-get here; install by your system's own means: ${missing[*]}"
as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 ||
		die "not root and no sudo; as root, run: apt-get install ${missing[*]}"
	# sudo does not pass the environment on.
	as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
fi

say "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
${as_root[@]+"${as_root[@]}"} apt-get -q update >"$log" 2>&1 || {
	cat "$log" >&2
	die "apt-get update failed; look at the network and at apt's sources, then run this again"
}
${as_root[@]+"${as_root[@]}"} apt-get -q -y --no-install-recommends install \
	"${missing[@]}" >"$log" 2>&1 || {
	tail -n 20 "$log" >&2
	die "apt-get could not install ${missing[*]}"
}
