#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What of the packages can be told without building them; scripts/package.sh has
# the rest. Prints TAP.
#
# usage: scripts/package-test.sh

. "$(dirname "$0")/common.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0 failed=0
version=$("$top/scripts/dkms.sh" version)

# is NAME GOT WANTED
is() {
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count $1"
	else
		echo "not ok $count $1"
		echo "# got '$2', expected '$3'"
		failed=1
	fi
}

cd "$top"
unset MAKEFLAGS MFLAGS MAKELEVEL
DESTDIR=$work "$top/scripts/dkms.sh" source
# What DKMS sets before it reads that file.
export kernel_source_dir=/k dkms_tree=/d
source=$work/usr/src/tcphs-$version
is "the version is one" \
	"$(sed -n '1s/.*(\(.*\)).*/\1/p' scripts/debian/changelog)" "$version"
is "DKMS reads its configuration" "$(
	# shellcheck disable=SC1091 # made above
	. "$source/dkms.conf"
	# shellcheck disable=SC2154 # set by it
	echo "$PACKAGE_NAME $PACKAGE_VERSION ${MAKE[0]}")" \
	"tcphs $version make module KDIR=/k"

# Of every object of Kbuild the source, and of every header of these.
missing=
while read -r object; do
	[ -e "$source/${object%.o}.c" ] || missing+=" ${object%.o}.c"
done < <(sed -n '/^tcphs-y/,/[^\\]$/p' Kbuild | grep -o 'module/[a-z_]*\.o')
while read -r header; do
	[ -e "$source/module/$header" ] || [ -e "$source/module/uapi/$header" ] ||
		missing+=" $header"
done < <(sed -n 's/^#include "\(.*\)"$/\1/p' module/*.[ch] | sort -u)
for file in module/try/*.c; do
	[ -e "$source/$file" ] || missing+=" $file"
done
is "the module's source is whole" "$missing" ""
is "and has nothing that was built" \
	"$(find "$source" -type f ! -name '*.[ch]' ! -name Kbuild ! -name Makefile \
		! -name dkms.conf)" ""

is "kernels that are claimed are built for, and no older ones" "$(
	# shellcheck disable=SC1091
	. "$source/dkms.conf"
	for release in 4.19.0-27-amd64 5.9.0-1-amd64 5.10.0-30-amd64 6.1.0-56-cloud-amd64 \
		6.12.117+deb12-rt-amd64 7.2.1-amd64; do
		# shellcheck disable=SC2154
		if [[ "$release" =~ $BUILD_EXCLUSIVE_KERNEL ]]; then
			printf '%s ' "${release%%-*}"
		fi
	done)" "5.10.0 6.1.0 6.12.117+deb12 7.2.1 "

is "versions of the kernel are known in compat.h alone" \
	"$(grep -lE 'LINUX_VERSION_CODE|KERNEL_VERSION\(|RHEL_' module/*.[ch] module/uapi/*.h)" \
	module/compat.h

# Each parameter of the example exists, and each that exists is in it.
is "the example of modprobe.d has the module's parameters" \
	"$(sed -n 's/^#options tcphs \([a-z_]*\)=.*/\1/p' scripts/dkms/tcphs.conf | sort -u | xargs)" \
	"$(sed -n 's/^MODULE_PARM_DESC(\([a-z_]*\),.*/\1/p' module/*.c | sort | xargs)"

make -s install uninstall V=1 DESTDIR="$work/root" >"$work/log" 2>&1 || cat "$work/log"
is "make uninstall leaves nothing of make install" \
	"$(find "$work/root" ! -type d 2>/dev/null)" ""
make -s install DESTDIR="$work/root" >"$work/log" 2>&1 || cat "$work/log"
is "make install installs" "$(cd "$work/root" && find . -name 'tcphs*' ! -type d |
	sed 's|.*/||' | grep -v 'ko$' | sort | xargs)" "tcphs tcphs tcphs.5 tcphs.8"

echo "1..$count"
exit "$failed"
