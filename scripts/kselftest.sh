#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Takes the kernel's own test framework and style checker from Debian's
# linux-source package of the VM's kernel: only tools/testing/selftests and
# scripts/checkpatch.pl with its word lists are unpacked, into build/kselftest.
#
# usage: scripts/kselftest.sh [tree DIRECTORY]
#
# Prints where it is: KSFT= for tests/Makefile is tools/testing/selftests in it.
# tree makes what `make install` of kselftest makes: run_kselftest.sh, its
# library, and tests/ as the collection tcphs.

. "$(dirname "$0")/archive.sh"

source=$build/kselftest/$suite
paths="
	tools/testing/selftests/lib.mk
	tools/testing/selftests/run_kselftest.sh
	tools/testing/selftests/kselftest/*
	tools/testing/selftests/kselftest*.h
	scripts/checkpatch.pl
	scripts/spelling.txt
	scripts/const_structs.checkpatch
"

# The package that has the source of the VM's kernel, as NAME=VERSION.
source_package() {
	local kernel
	kernel=$("$top/scripts/kernel.sh" image)
	if [ -e "$kernel/version" ]; then
		echo "linux-source-$(cut -d . -f 1,2 "$kernel/release")=$(<"$kernel/version")"
		return
	fi
	# One's own kernel: the suite's framework does for it.
	archive_open
	archive_depends linux-source | grep -m 1 '^linux-source-'
}

get_source() {
	local package path patterns=()
	if [ "$(cat "$source/ready" 2>/dev/null)" = "$(md5sum <<<"$paths")" ]; then
		return
	fi
	package=$(source_package)
	archive_open
	say "fetching kselftest and checkpatch out of $package"
	rm -rf "$source"
	mkdir -p "$source"
	archive_fetch "$source/deb" "$package"
	set -f
	for path in $paths; do
		patterns+=("*/$path")
	done
	set +f
	dpkg-deb --fsys-tarfile "$source"/deb/*.deb | tar -xO --wildcards '*.tar.xz' |
		tar -xJ -C "$source" --strip-components=1 --wildcards "${patterns[@]}"
	rm -rf "$source/deb"
	md5sum <<<"$paths" >"$source/ready"
}

make_tree() {
	local tree=$1 selftests=$source/tools/testing/selftests words
	rm -rf "$tree"
	mkdir -p "$tree"
	cp -r "$selftests/run_kselftest.sh" "$selftests/kselftest" "$tree/"
	unset MAKEFLAGS MFLAGS MAKELEVEL
	cp -r "$top/tests" "$tree/tcphs"
	# They may have been built there for another kernel.
	rm -f "$tree"/tcphs/*.ko
	KDIR=$("$top/scripts/kernel.sh" headers)
	export KDIR
	words=(-s -C "$top/tests" KSFT="$selftests" OUTPUT="$tree/tcphs" KDIR="$KDIR")
	"$top/scripts/toolroot.sh" make -j"$(nproc)" "${words[@]}" all >&2
	make "${words[@]}" COLLECTION=tcphs emit_tests >"$tree/kselftest-list.txt"
}

case "$#:${1:-}" in
0:)
	locked "kselftest-$suite" get_source
	echo "$source"
	;;
2:tree)
	locked "kselftest-$suite" get_source
	make_tree "$2"
	;;
*)
	usage 2
	;;
esac
