#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes Debian packages: tcphs, the reader, and tcphs-dkms, the module's source.
#
# usage: scripts/deb.sh [source | binary]
#
#	source	assembles the source package in build/deb: what is in git, with
#		scripts/debian as its debian/
#	binary	(the default) and builds it. It needs the packages that
#		scripts/debian/control names: apt build-dep build/deb/tcphs_*.dsc
#
# Prints the files that it made.

. "$(dirname "$0")/common.sh"

deb=$build/deb
version=$("$top/scripts/dkms.sh" version)
tree=$deb/tcphs-$version
unset MAKEFLAGS MFLAGS MAKELEVEL

# The project's files: git knows which; without git all but what was built.
copy_tree() {
	if [ -e "$top/.git" ]; then
		git -C "$top" ls-files -z | (cd "$top" && xargs -0 ls -d 2>/dev/null) |
			tar -c -C "$top" -T - | tar -x -C "$tree"
	else
		tar -c -C "$top" --exclude=./build --exclude='*.o' --exclude='*.ko' \
			--exclude='.*.cmd' --exclude='*.d' . | tar -x -C "$tree"
	fi
	rm -rf "$tree/scripts/debian" "$tree/.ci"
	cp -r "$top/scripts/debian" "$tree/debian"
}

make_source() {
	need dpkg-source deb
	rm -rf "$deb"
	mkdir -p "$tree"
	copy_tree
	(cd "$deb" && dpkg-source --build "tcphs-$version" >"$deb/source.log" 2>&1) || {
		cat "$deb/source.log" >&2
		die "dpkg-source failed"
	}
}

make_binary() {
	local log=$deb/build.log
	(cd "$tree" && dpkg-checkbuilddeps) ||
		die "packages are missing; as root: apt-get build-dep ${deb#"$PWD"/}/tcphs_$version.dsc"
	(cd "$tree" && dpkg-buildpackage -us -uc >"$log" 2>&1) || {
		tail -n 40 "$log" >&2
		die "dpkg-buildpackage failed; all it said is in $log"
	}
}

make_both() {
	make_source
	make_binary
}

case "${1:-binary}" in
source)
	locked deb make_source
	;;
binary)
	locked deb make_both
	;;
*)
	usage 2
	;;
esac
find "$deb" -maxdepth 1 \( -name '*.dsc' -o -name '*.tar.xz' -o -name '*.deb' -o -name '*.changes' \) | sort
