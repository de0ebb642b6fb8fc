#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds a kernel that catches errors, out of Debian's linux-source of the VM's
# kernel, with the compiler of its suite (see scripts/toolroot.sh).
#
# usage: scripts/debug-kernel.sh kasan | kcsan
#
# kasan: KASAN, UBSAN, lockdep, PROVE_RCU, DEBUG_ATOMIC_SLEEP, debug objects,
# kmemleak and fault injection. kcsan: KCSAN, and of the others what goes with it.
# The configurations are in scripts/debug. Built once, in build/debug, which takes
# about ten minutes on two CPUs and 2 GB; prints that directory, which holds
#	source		KDIR=, and KERNEL= is arch/x86/boot/bzImage in it
#	tree		KMODULES=
# JOBS= (the number of CPUs) compilers run at once.

. "$(dirname "$0")/archive.sh"

kind=${1:-}
case "$#:$kind" in
1:kasan | 1:kcsan) ;;
*) usage 2 ;;
esac
home=$build/debug/$suite-$kind
configs=("$top/scripts/debug/common.config" "$top/scripts/debug/$kind.config")
unset MAKEFLAGS MFLAGS MAKELEVEL

get_source() {
	local kernel package
	kernel=$("$top/scripts/kernel.sh" image)
	package=linux-source-$(cut -d . -f 1,2 "$kernel/release")
	archive_open
	say "unpacking $package ($(<"$kernel/version"))"
	rm -rf "$home"
	mkdir -p "$home/source"
	archive_fetch "$home/deb" "$package=$(<"$kernel/version")"
	dpkg-deb --fsys-tarfile "$home"/deb/*.deb | tar -xO --wildcards '*.tar.xz' |
		tar -xJ -C "$home/source" --strip-components=1
	rm -rf "$home/deb"
	touch "$home/source.ready"
}

build_with() {
	TOOLROOT=always "$top/scripts/toolroot.sh" make -s -C "$home/source" "$@" >>"$home/build.log" 2>&1
}

# What the fragments ask for, and the kernel's own rules did not allow.
refused() {
	local line
	while IFS= read -r line; do
		case "$line" in
		CONFIG_*=n) ! grep -q "^${line%=n}=" "$home/source/.config" || echo "$line" ;;
		CONFIG_*) grep -qxF "$line" "$home/source/.config" || echo "$line" ;;
		esac
	done < <(cat "${configs[@]}")
}

make_kernel() {
	local recipe missing
	recipe=$(cat "${configs[@]}" | md5sum)
	if [ "$(cat "$home/ready" 2>/dev/null)" = "$recipe" ]; then
		return
	fi
	[ -e "$home/source.ready" ] || get_source
	: >"$home/build.log"
	say "building the kernel that has $kind; this takes a while (the log is $home/build.log)"
	build_with tinyconfig
	cat "${configs[@]}" >>"$home/source/.config"
	build_with olddefconfig
	missing=$(refused)
	[ -z "$missing" ] || die "this kernel does not take: $(xargs <<<"$missing")"
	build_with -j"${JOBS:-$(nproc)}" bzImage modules || {
		tail -n 30 "$home/build.log" >&2
		die "the kernel's build failed"
	}
	rm -rf "$home/tree"
	build_with INSTALL_MOD_PATH="$home/tree" modules_install
	echo "$recipe" >"$home/ready"
}

locked "debug-$suite-$kind" make_kernel
echo "$home"
