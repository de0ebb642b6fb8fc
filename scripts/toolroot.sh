#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs a command with the compiler and libraries of the guest's suite, for what
# is to run in the guest: a kernel's modules want the compiler that made it, and
# a reader that was linked here may not start on an older suite.
#
# usage: scripts/toolroot.sh COMMAND [ARGUMENT...]
#
# Where this machine is of that suite (SUITE=), that is simply COMMAND. Else, and
# with TOOLROOT=always, it runs in a Debian root of the suite, made once in
# build/toolroot/SUITE, in the same directory as here; of this machine only the
# project, build/ and KDIR= are in there, and from elsewhere it runs in the project.
# Nothing is installed here; who is not root needs user namespaces.

. "$(dirname "$0")/archive.sh"

root=$build/toolroot/$suite

# For the module, the reader and its tests, and for the kernels of check-debug.
packages="
	gcc make libc6-dev pkg-config
	libjansson-dev libpcap-dev libcairo2-dev libncurses-dev
	libelf-dev libssl-dev flex bison bc kmod cpio xz-utils
	python3-minimal perl-base pahole
"
# Before it had a package of its own it was part of dwarves; nothing needs it there.
[ "$suite" != bullseye ] || packages=${packages/pahole/}

# The kernels' headers name their compiler: gcc-12, say, which need not be the
# suite's usual one.
compilers() {
	local meta package
	for meta in linux-headers-$arch linux-headers-cloud-$arch; do
		package=$(archive_depends "$meta" | grep -m 1 '^linux-headers-') || continue
		archive_depends "$package" | sed -n 's/^\(linux-compiler-\)\{0,1\}\(gcc-[0-9]*\).*/\2/p'
	done | sort -u
}

make_root() {
	local recipe wanted
	if [ -e "$root.recipe" ] && [ "$(head -n 1 "$root.recipe")" = "$(echo "$suite" "$packages" | xargs)" ]; then
		return
	fi
	need mmdebstrap vm
	archive_open
	recipe=$(echo "$suite" "$packages" | xargs)
	wanted=$(echo "$packages" "$(compilers)" | xargs)
	say "making a root of $suite with its compiler; this takes a minute or two"
	mkdir -p "$build/toolroot"
	archive_settings >"$root.apt"
	rm -rf "$root" "$root.recipe"
	mmdebstrap --quiet --mode=auto --variant=minbase --architectures="$arch" \
		--aptopt="$root.apt" --aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="${wanted// /,}" \
		"$suite" "$root.tar" "$archive/sources.list" >"$root.log" 2>&1 || {
		tail -n 30 "$root.log" >&2
		die "mmdebstrap failed; its log is $root.log"
	}
	mkdir "$root"
	tar -xf "$root.tar" -C "$root" --no-same-owner --exclude='./dev/*'
	rm -f "$root.tar" "$root.apt"
	echo "$recipe" >"$root.recipe"
}

# In mount and process namespaces of its own, so that nothing stays mounted.
# shellcheck disable=SC2016 # expanded in there
enter='
	set -e
	root=$1 directory=$2 mounts=$3
	shift 3
	for path in $mounts; do
		mkdir -p "$root$path"
		mount --bind "$path" "$root$path"
	done
	mount --rbind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	exec chroot "$root" sh -c '\''cd "$1" && shift && exec "$@"'\'' sh "$directory" "$@"
'

[ $# -gt 0 ] || usage 2
here=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}") || true
if [ "$here" = "$suite" ] && [ "${TOOLROOT:-}" != always ]; then
	exec "$@"
fi
locked "toolroot-$suite" make_root
mounts="$top $build"
if [ -n "${KDIR:-}" ]; then
	mounts+=" $(realpath "$KDIR")"
fi
case "$PWD/" in
"$top"/* | "$build"/*) directory=$PWD ;;
*) directory=$top ;;
esac
as_root=()
if [ "$(id -u)" != 0 ]; then
	as_root=(--map-root-user)
fi
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset TMPDIR
exec unshare --mount --pid --fork --kill-child ${as_root[@]+"${as_root[@]}"} \
	bash -c "$enter" enter "$root" "$directory" "$mounts" "$@"
