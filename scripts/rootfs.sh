#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes the VM's Debian root, build/rootfs/SUITE.ext4, and prints its path. It
# is kept until the suite or the packages below change. Needs no root.
#
# usage: [PACKAGES="NAME ..."] scripts/rootfs.sh
#
# PACKAGES adds some: that makes another image.

. "$(dirname "$0")/archive.sh"

# What the tests, the demo and a person in the VM's shell use.
packages="
	bash coreutils util-linux procps psmisc kmod less strace
	python3 python3-scapy
	iproute2 iputils-ping nftables conntrack ethtool hping3 tcpdump
	perl-base tmux ncurses-base
	libjansson4 libpcap0.8 libcairo2 libncursesw6 libasan8 libubsan1
"

# Those whose name depends on the suite.
case "$suite" in
bullseye) packages=${packages/libasan8/libasan6} ;;
bookworm) ;;
*) packages=${packages/libpcap0.8/libpcap0.8t64} ;;
esac

extra=${PACKAGES:-}
packages+=" $extra"
image=$build/rootfs/$suite${extra:++${extra// /+}}.ext4
recipe="$suite $(echo "$packages" | xargs)"

make_root() {
	if [ -e "$image" ] && [ "$(cat "$image.recipe" 2>/dev/null)" = "$recipe" ]; then
		return
	fi
	need mmdebstrap vm
	archive_open
	say "making the guest's root of $suite; this takes a minute or two"
	mkdir -p "$build/rootfs"
	archive_settings >"$image.apt"
	mmdebstrap --quiet --mode=auto --variant=minbase --architectures="$arch" \
		--aptopt="$image.apt" \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(echo "$packages" | xargs | tr ' ' ,)" \
		"$suite" "$image.tar" "$archive/sources.list" >"$image.log" 2>&1 || {
		tail -n 30 "$image.log" >&2
		die "mmdebstrap failed; its log is $image.log"
	}
	"$top/scripts/image.sh" "$image.tar" "$image" 512
	rm -f "$image.tar" "$image.apt"
	echo "$recipe" >"$image.recipe"
}

locked "rootfs-${image##*/}" make_root
echo "$image"
