#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests the packages, as their user meets them: builds them in a clean Debian
# root, installs them in another one with Debian's DKMS, upgrades its kernel,
# boots the old and the new kernel in the VM, loads the module by modprobe, and
# takes everything away again; also with Secure Boot. Then the same with
# `make dkms-install`. The upgrade itself is in the root and not in the VM, where the
# compiler would take twenty times as long.
#
# usage: scripts/package.sh
#
# Needs no root where user namespaces are allowed. The roots are kept in
# build/package for a day; what the programs print is in build/package/log. The
# last line is "N passed, N failed".

. "$(dirname "$0")/archive.sh"

[ $# = 0 ] || usage 2
unset MAKEFLAGS MFLAGS MAKELEVEL
package=$build/package
log=$package/log
version=$("$top/scripts/dkms.sh" version)
passed=0 failed=0

"$top/scripts/dependencies.sh" vm deb
mkdir -p "$log" "$build/lock"
exec {lock}>"$build/lock/package"
flock -n "$lock" || die "another run is going on"

# ------------------------------------------------------------------------ roots

# The two newest kernels of the suite's own series (backports of others may be
# there, too), of the flavour that is for VMs.
archive_open
newest=$(archive_depends "linux-image-cloud-$arch" | sed -n 's/^linux-image-\([0-9]*\.[0-9]*\)\..*/\1/p')
readarray -t kernels < <(archive_apt apt-cache search --names-only "^linux-image-$newest\\.[^ ]*-cloud-$arch\$" |
	sed 's/^linux-image-\([^ ]*\) .*/\1/' | sort -V | tail -n 2)
[ ${#kernels[@]} = 2 ] || die "$suite has fewer than two kernels of the cloud flavour"
old=${kernels[0]} new=${kernels[1]}

# make_root NAME PACKAGE...: a Debian root as $package/NAME.tar, kept for a day
make_root() {
	local name=$1 recipe="$suite $*"
	local tar=$package/$name.tar
	shift
	if [ "$(cat "$tar.recipe" 2>/dev/null)" = "$recipe" ] &&
		[ -n "$(find "$tar" -mtime -1)" ]; then
		return
	fi
	rm -f "$tar" "$tar.recipe"
	say "making a root of $suite: $name"
	archive_settings >"$tar.apt"
	mmdebstrap --quiet --mode=auto --variant=minbase --architectures="$arch" \
		--aptopt="$tar.apt" --aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--include="$(echo "$*" | tr ' ' ,)" \
		"$suite" "$tar" "$archive/sources.list" >"$log/$name-root.log" 2>&1 || {
		tail -n 20 "$log/$name-root.log" >&2
		die "mmdebstrap failed"
	}
	echo "$recipe" >"$tar.recipe"
}

# Runs in namespaces of its own: a command as root of the tree $1.
# shellcheck disable=SC2016 # expanded in there
enter='
	set -e
	mount -t proc proc "$1/proc"
	mount --rbind /dev "$1/dev"
	mount -t tmpfs tmp "$1/tmp"
	mkdir -p "$1/project" "$1/out"
	mount --bind "$2" "$1/project"
	mount --bind "$3" "$1/out"
	cd /
	exec chroot "$1" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c "$4"
'
as_root=()
if [ "$(id -u)" != 0 ]; then
	as_root=(--map-root-user --map-auto)
fi

own() {
	# Without a network: all that is needed has to be there.
	unshare --mount --pid --net --fork --kill-child ${as_root[@]+"${as_root[@]}"} "$@"
}

# unpack NAME: a fresh tree of the root NAME, at $package/tree
unpack() {
	forget
	mkdir "$package/tree"
	own tar -xf "$package/$1.tar" -C "$package/tree" --exclude='./dev/*'
}

forget() {
	own rm -rf "$package/tree"
}

# inside LOG COMMAND: a shell command in the tree; /out is $package/out
inside() {
	own bash -c "$enter" enter "$package/tree" "$source" "$package/out" "$2" \
		>"$log/$1.log" 2>&1
}

# ---------------------------------------------------------------------- results

# result STATUS NAME [LOG]
result() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $((passed + failed)) $2"
	if [ -n "${3:-}" ]; then
		tail -n 15 "$log/$3.log" | sed 's/^/# /'
	fi
}

# step NAME LOG COMMAND: a shell command in the tree
step() {
	local status=0
	inside "$2" "$3" || status=$?
	result "$status" "$1" "$2"
}

# at KERNEL: the module that DKMS put there, for a shell; some are compressed
at() {
	echo "/lib/modules/$1/updates/dkms/tcphs.ko*"
}

# built NAME KERNEL LOG: it is there, for this kernel, of this version, and signed
built() {
	step "$1" "$3" "set -e
		ls -l $(at "$2")
		modinfo $(at "$2")
		modinfo -F vermagic $(at "$2") | grep -q '^$2 '
		[ \"\$(modinfo -F version $(at "$2"))\" = $version ]
		[ -n \"\$(modinfo -F sig_key $(at "$2"))\" ]
		grep -q ^updates/dkms/tcphs.ko /lib/modules/$2/modules.dep"
}

# What is installed, but for what DKMS and dpkg write at any time.
files='find / -xdev \( -path /proc -o -path /dev -o -path /tmp -o -path /out -o -path /project \
	-o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o -path "/boot/initrd*" \) -prune -o -print |
	grep -v -e "/modules\.[a-z.]*$" | sort'

# take NAME: both kernels and their modules out of the tree, for boots()
take() {
	own rm -rf "$package/out/$old" "$package/out/$new"
	inside "$1" "mkdir -p /out/$old/lib/modules /out/$new/lib/modules
		cp -a /lib/modules/$old /out/$old/lib/modules/
		cp -a /lib/modules/$new /out/$new/lib/modules/
		cp /boot/vmlinuz-* /out/" || true
}

# boots NAME KERNEL [VARIABLE=VALUE...]: the VM loads it by its name
boots() {
	local name=$1 kernel=$2 status=0
	shift 2
	env KERNEL="$package/out/vmlinuz-$kernel" KMODULES="$package/out/$kernel" "$@" \
		"$top/scripts/vm.sh" run --name package --add "$package/guest=/" -- "
		set -e
		[ \"\$(uname -r)\" = $kernel ]
		dmesg | grep -o 'Secure boot enabled' || true
		modprobe tcphs
		grep -x 'version $version' /proc/tcphs/stats
		[ \"\$(cat /sys/module/tcphs/parameters/ring_kb)\" = 4096 ]
		python3 -c 'import socket; l = socket.create_server((\"127.0.0.1\", 0)); \
			socket.create_connection(l.getsockname())'
		grep 'SYN_SENT.*ESTABLISHED' /proc/tcphs/timeline
		modprobe -r tcphs
		[ ! -e /proc/tcphs ]
		for module in /modules/*.ko; do
			echo \"\${module##*/}: \$(insmod \$module 2>&1 || true)\"
		done
		" >"$log/boot-$kernel.log" 2>&1 || status=$?
	result "$status" "$name" "boot-$kernel"
}

# ------------------------------------------------------------------- the packages

# Of a source package, even of what is not committed.
source=$build/deb
rm -rf "$package/out" "$package/guest"
mkdir -p "$package/out" "$package/guest/etc/modprobe.d" "$package/guest/modules"
"$top/scripts/deb.sh" source >/dev/null
# It is read until the end.
exec {deb_lock}>"$build/lock/deb"
flock -s "$deb_lock"
make_root build build-essential fakeroot debhelper dh-dkms lintian libcairo2-dev \
	libjansson-dev libncurses-dev libpcap-dev mandoc python3-minimal python3 zsh
make_root machine dkms kmod openssl "linux-image-$old" "linux-headers-$old"
readarray -t needs < <(archive_depends "linux-headers-$new" | grep '^linux-')
archive_fetch "$package/out/kernel" "linux-image-$new" "linux-headers-$new" "${needs[@]}"
trap forget EXIT

unpack build
step "the packages build in a clean root" build "set -e
	cp -r /project /tmp/deb
	cd /tmp/deb
	dpkg-source -x tcphs_$version.dsc tree
	cd tree
	dpkg-buildpackage -us -uc
	rm -r ../tcphs-$version
	cp ../tcphs[-_]* /out/"
step "lintian finds no error and no warning" lintian "lintian --allow-root --fail-on error,warning --info \
	--display-info /out/*.changes"
[ -e "$package/out/tcphs-dkms_${version}_all.deb" ] || die "no package: see $log/build.log"
cp "$top/tests/data/loopback.tcphs" "$package/out/"
step "tcphs installs and reads a recording" reader "set -e
	dpkg -i /out/tcphs_${version}_$arch.deb
	tcphs -r /out/loopback.tcphs list
	tcphs -r /out/loopback.tcphs list | grep -q 127.0.0.1"
step "and goes" reader-gone "dpkg -P tcphs && ! command -v tcphs && ! dpkg -L tcphs"

# The owner's key, which DKMS signs with: that of Debian's firmware for tests,
# which trusts nothing else.
snakeoil=/usr/share/ovmf/PkKek-1-snakeoil
openssl rsa -in "$snakeoil.key" -passin pass:snakeoil -out "$package/out/mok.key" 2>"$log/key.log"
openssl x509 -in "$snakeoil.pem" -outform DER -out "$package/out/mok.pub"

unpack machine
inside before "mkdir -p /var/lib/dkms && cp /out/mok.* /var/lib/dkms/ && $files >/out/before"
step "tcphs-dkms installs" install "dpkg -i /out/tcphs-dkms_*.deb"
built "its module is built for the kernel that is there" "$old" "built-$old"
step "a newer kernel installs" upgrade "dpkg -i /out/kernel/*.deb"
built "the module is built for it by itself" "$new" "built-$new"
step "both kernels have it" both "dkms status; [ -e $(at "$old") ] && [ -e $(at "$new") ]"
take modules
step "the old kernel goes, and its module with it" downgrade "dpkg -P linux-headers-$old linux-image-$old
	dkms status; [ ! -e $(at "$old") ] && [ -e $(at "$new") ]"
step "the package goes" remove "dpkg -P tcphs-dkms; ! dkms status | grep tcphs"
inside after "$files >/out/after" || true
# The kernels' own files have changed meanwhile.
for list in before after; do
	grep -v -E "linux-(image|headers|kbuild|compiler)|/lib/modules/|^/(boot/|vmlinuz|initrd)" \
		"$package/out/$list" >"$package/out/$list.other"
done
diff "$package/out/before.other" "$package/out/after.other" >"$log/left.log" && status=0 || status=1
result "$status" "nothing of it is left" left
step "no module is left for any kernel" left-modules "! find /lib/modules /usr/src /var/lib/dkms | grep tcphs"

echo 'options tcphs ring_kb=4096' >"$package/guest/etc/modprobe.d/tcphs.conf"
boots "the old kernel loads it by modprobe" "$old"
boots "the new kernel loads it by modprobe" "$new"

# Once more, booted with Secure Boot; and one that nobody signed.
sbsign --key "$package/out/mok.key" --cert "$snakeoil.pem" --output "$package/out/signed" \
	"$package/out/vmlinuz-$new" >"$log/sbsign.log" 2>&1

readarray -t built < <(find "$package/out/$new" -path '*/updates/dkms/tcphs.ko*')
case "${built[0]}" in
*.xz) xz -dc "${built[0]}" ;;
*) cat "${built[0]}" ;;
esac >"$package/out/signed.ko"
strip -g -o "$package/guest/modules/unsigned.ko" "$package/out/signed.ko"
cp "$package/guest/modules/unsigned.ko" "$package/out/byhand.ko"
step "sign-file signs it, as README says" sign-file \
	"/lib/modules/$new/build/scripts/sign-file sha256 \
		/var/lib/dkms/mok.key /var/lib/dkms/mok.pub /out/byhand.ko"
cp "$package/out/byhand.ko" "$package/guest/modules/"
cp /usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd "$package/out/variables"
flash=if=pflash,format=raw,unit
boots "with Secure Boot it loads by modprobe" "$new" ACCEL=tcg KERNEL="$package/out/signed" \
	QEMU_EXTRA="-machine q35,smm=on -global driver=cfi.pflash01,property=secure,value=on
		-drive $flash=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd
		-drive $flash=1,file=$package/out/variables"
status=0
grep -q "Secure boot enabled" "$log/boot-$new.log" || status=1
result "$status" "the kernel knows of it" "boot-$new"
status=0
grep -q "unsigned.ko: .*Key was rejected by service" "$log/boot-$new.log" || status=1
result "$status" "and an unsigned module is refused" "boot-$new"
status=0
tr -d '\r' <"$log/boot-$new.log" | grep -q '^byhand.ko: $' || status=1
result "$status" "but not the one that was signed by hand" "boot-$new"

# --------------------------------------------------------------- make dkms-install

unpack machine
source=$build/deb/tcphs-$version
step "make dkms-install" dkms-install "cp -r /project /tmp/tcphs && cd /tmp/tcphs && make dkms-install"
built "builds the module" "$old" "dkms-built-$old"
step "and once more over itself" dkms-again "cp -r /project /tmp/tcphs && cd /tmp/tcphs && make dkms-install"
step "a newer kernel installs" dkms-upgrade "dpkg -i /out/kernel/*.deb"
built "the module is built for it by itself" "$new" "dkms-built-$new"
take dkms-modules
step "make dkms-remove leaves nothing" dkms-remove "cp -r /project /tmp/tcphs && cd /tmp/tcphs && make dkms-remove
	! find /lib/modules /usr/src /var/lib/dkms | grep tcphs"

rm -f "$package/guest/modules"/*.ko
boots "the old kernel loads what make dkms-install built" "$old"
boots "and so does the new one" "$new"

rm -rf "$package/out/$old" "$package/out/$new"
echo "what they printed is in ${log#"$top"/}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
