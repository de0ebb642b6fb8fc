#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Takes the kernel's own test framework and style checker from Debian's
# linux-source package of the VM's kernel: only tools/testing/selftests and
# scripts/checkpatch.pl with its word lists are unpacked, into build/kselftest.
#
# usage: scripts/kselftest.sh		prints the directory
#	       scripts/kselftest.sh tree DIR	makes an install tree of tests/ in
#						DIR: run_kselftest.sh, kselftest/,
#						kselftest-list.txt and tcphs/

. "$(dirname "$0")/archive.sh"

source=$build/kselftest/$suite

get_source() {
	local kernel version series deb
	kernel=$("$top/scripts/kernel.sh" image)
	version=$(<"$kernel/version")
	if [ "$(cat "$source/version" 2>/dev/null)" = "$version" ]; then
		return
	fi
	archive_open
	series=$(cut -d . -f 1,2 "$kernel/release")
	say "fetching kselftest and checkpatch of $series ($version)"
	rm -rf "$source"
	mkdir -p "$source"
	archive_fetch "$source/deb" "linux-source-$series=$version"
	deb=$(echo "$source"/deb/*.deb)
	dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards '*.tar.xz' |
		tar -xJ -C "$source" --strip-components=1 --wildcards \
			'*/tools/testing/selftests/lib.mk' \
			'*/tools/testing/selftests/run_kselftest.sh' \
			'*/tools/testing/selftests/kselftest/*' \
			'*/tools/testing/selftests/kselftest*.h' \
			'*/scripts/checkpatch.pl' \
			'*/scripts/spelling.txt' \
			'*/scripts/const_structs.checkpatch' \
			'*/scripts/subarch.include'
	rm -rf "$source/deb"
	echo "$version" >"$source/version"
}

locked "kselftest-$suite" get_source
echo "$source"
