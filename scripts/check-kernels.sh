#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The whole test suite on every kernel that tcphs is for: each in a copy of the
# project, built in that kernel's own Debian root with its own compiler, without
# a warning, and run in a VM with that kernel and that Debian.
#
# usage: [KERNELS="6.12 7.2 6.1-rt ..."] [TESTS="a.sh b.sh"] [RETRY=N] scripts/check-kernels.sh
#
# Kernels: 5.10 6.1 6.12 7.2 and, with PREEMPT_RT, 6.1-rt 6.12-rt. Another one of
# Debian's is named SUITE/FLAVOUR. TESTS, RETRY, SMP, MEM, TIMEOUT: see check.sh.
# Prints one line per kernel and what failed there; all that was printed is kept
# in build/kernels/NAME. Ends with the line "N passed, N failed", of all together.

. "$(dirname "$0")/common.sh"
. "$top/scripts/copy.sh"

[ $# = 0 ] || usage 2
kernels=${KERNELS:-5.10 6.1 6.12 7.2 6.1-rt 6.12-rt}
unset MAKEFLAGS MFLAGS MAKELEVEL KERNELS
passed=0 failed=0 skipped=0 unsteady=0

# place NAME: which suite and flavour that is
place() {
	case "$1" in
	5.10) echo bullseye "cloud-$arch" ;;
	6.1) echo bookworm "cloud-$arch" ;;
	6.12) echo trixie "cloud-$arch" ;;
	7.2) echo sid "cloud-$arch" ;;
	6.1-rt) echo bookworm "rt-$arch" ;;
	6.12-rt) echo trixie "rt-$arch" ;;
	*/*) echo "${1%%/*}" "${1#*/}" ;;
	*) return 1 ;;
	esac
}

# is_kernel NAME RELEASE: whether the suite's kernel still is what its name says
is_kernel() {
	case "$1" in
	*-rt) [[ "$2" == "${1%-rt}".*-rt-* ]] ;;
	[0-9]*) [[ "$2" == "$1".* || "$2" == "$1"-* ]] ;;
	esac
}

# What the compilers and the kernel's build said that they should not.
warnings() {
	grep -E 'warning:|^WARNING|error:' "$1" || true
}

# check_kernel NAME SUITE FLAVOUR: in a process of its own
check_kernel() {
	local home=$build/kernels/$1 status=0 found release compiler
	export SUITE=$2 FLAVOUR=$3 BUILD=$build TOOLROOT=always GUEST=only LOGS=$build/kernels/$1/logs
	mkdir -p "$home/logs"
	copy_project "$home/tcphs"
	: >"$home/build.log"
	# Made anew, so that no warning of theirs hides.
	find "$home/tcphs" -name '*.o' -delete
	rm -f "$home/tcphs/tcphs.ko" "$home/tcphs/user/tcphs"
	if ! "$home/tcphs/scripts/build.sh" >"$home/build.log" 2>&1; then
		tail -n 30 "$home/build.log"
		echo "0 passed, 1 failed"
		return
	fi
	found=$(warnings "$home/build.log")
	release=$(<"$build/kernel/$2-$3/release")
	compiler=$(modinfo_compiler "$build/kernel/$2-$3")
	echo "$release" "$compiler" >"$home/what"
	"$home/tcphs/scripts/check.sh" >"$home/check.log" 2>"$home/check.err" || status=$?
	if [ -n "$found" ]; then
		echo "the build is not without warnings:"
		echo "$found"
	fi
	if [ "$status" != 0 ]; then
		sed '/^what they printed/,$d' "$home/check.log" | grep -v '^ok '
		cat "$home/check.err"
	fi
	tail -n 1 "$home/check.log" | grep ' passed, ' || echo "0 passed, 1 failed"
	[ -z "$found" ] || echo "0 passed, 1 failed"
	if ! is_kernel "$1" "$release"; then
		echo "this is $release: $2 has another kernel now"
		echo "0 passed, 1 failed"
	fi
}

# modinfo_compiler KERNEL: the compiler that its headers ask for
modinfo_compiler() {
	grep -ohE '\bgcc-[0-9]+' "$1"/headers/.kernelvariables "$1"/headers/Makefile 2>/dev/null |
		head -n 1 || true
}

"$top/scripts/dependencies.sh" vm
for name in $kernels; do
	place "$name" >/dev/null || die "KERNELS: no $name; there are 5.10 6.1 6.12 7.2 6.1-rt 6.12-rt, or SUITE/FLAVOUR"
done

for name in $kernels; do
	read -r suite_of flavour_of <<<"$(place "$name")"
	key=${name//\//-}
	began=$SECONDS
	say "$name: $suite_of, $flavour_of"
	said=$(check_kernel "$key" "$suite_of" "$flavour_of") || true
	counts=$(grep -E '^[0-9]+ passed, ' <<<"$said")
	before=$failed
	while read -r line; do
		passed=$((passed + $(total_of passed "$line")))
		failed=$((failed + $(total_of failed "$line")))
		skipped=$((skipped + $(total_of skipped "$line")))
		unsteady=$((unsteady + $(total_of unsteady "$line")))
	done <<<"$counts"
	printf '%-4s %-8s %-32s %s (%d s)\n' \
		"$([ "$failed" = "$before" ] && echo ok || echo FAIL)" "$name" \
		"$(cat "$build/kernels/$key/what" 2>/dev/null)" \
		"$(head -n 1 <<<"$counts")" $((SECONDS - began))
	grep -vE '^[0-9]+ passed, ' <<<"$said" | sed 's/^/       /' || true
	grep -h -i '# skip' "$build/kernels/$key"/logs/kselftest.log 2>/dev/null |
		sed 's/^[# ]*//; s/^/       /' | sort -u || true
done

echo "what they printed is in ${build#"$top"/}/kernels"
totals
[ "$failed" = 0 ] && [ "$passed" != 0 ]
