#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every checker over every source; any finding fails.
#
# usage: scripts/lint.sh [style | kernel | user | shell]...
#
#	style	checkpatch, of the VM's kernel, over all C
#	kernel	the module with W=1 and sparse, for the VM's kernel
#	user	the reader with -Werror
#	shell	shellcheck over all scripts
#
# Without an argument: all. Nothing is built in the source tree.

. "$(dirname "$0")/common.sh"

unset MAKEFLAGS MFLAGS MAKELEVEL
status=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$top"

# finding TEXT: print it, and fail at the end.
finding() {
	printf '%s\n' "$1"
	status=1
}

# checkpatch knows the kernel's tree. These of its rules are about that tree, or
# take the version number that compat.h compares for a constant, or want kernel
# macros in module/uapi, which programs include too.
ignored=FILE_PATH_CHANGES,LINUX_VERSION_CODE,CONSTANT_COMPARISON
ignored+=,PREFER_DEFINED_ATTRIBUTE_MACRO
# And these ask in user space for what only the kernel has.
ignored_user=$ignored,CONSIDER_KSTRTO,PREFER_KERNEL_TYPES,STRLCPY,NAKED_SSCANF
ignored_user+=,SSCANF_TO_KSTRTO,ENOSYS,PRINTF_L,VOLATILE,ARRAY_SIZE
ignored_user+=,SPLIT_STRING,USE_NEGATIVE_ERRNO,EMBEDDED_FUNCTION_NAME

# style IGNORED DIRECTORY...: checkpatch over the C in these directories
style() {
	local files=() found checkpatch
	checkpatch=$("$top/scripts/kselftest.sh")/scripts/checkpatch.pl
	readarray -t files < <(find "${@:2}" -name '*.[ch]' ! -name '*.mod.c' | sort)
	[ ${#files[@]} != 0 ] || return 0
	echo "checkpatch ${files[*]}"
	found=$(perl "$checkpatch" --no-tree --file --terse --no-summary --show-types \
		--ignore "$1" "${files[@]}") || true
	[ -z "$found" ] || finding "$found"
}

lint_style() {
	style "$ignored" module
	style "$ignored_user" user tests
}

lint_kernel() {
	local headers found
	headers=$("$top/scripts/kernel.sh" headers)
	mkdir "$work/kernel"
	cp -r Kbuild module "$work/kernel/"
	find "$work/kernel" -name '*.o' -delete
	echo "make -C $headers W=1 C=2 CF=-D__CHECK_ENDIAN__"
	if ! make -C "$headers" M="$work/kernel" W=1 C=2 CF=-D__CHECK_ENDIAN__ \
		CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$work/log" 2>&1; then
		finding "$(cat "$work/log")"
		return
	fi
	found=$(grep -E '(warning|error):|^WARNING|^ERROR' "$work/log" |
		sed "s|$work/kernel/||" || true)
	[ -z "$found" ] || finding "$found"
}

lint_user() {
	local log
	mkdir -p "$work/user/module"
	cp -r user "$work/user/"
	cp -r module/uapi "$work/user/module/"
	find "$work/user" -name '*.o' -delete
	rm -f "$work/user/user/tcphs"
	echo "make -C user CFLAGS='-O2 -g -Werror'"
	log=$(make -C "$work/user/user" CFLAGS='-O2 -g -Werror' 2>&1) || finding "$log"
}

lint_shell() {
	local files
	readarray -t files < <(find scripts tests .ci user/completion -name '*.sh' -o \
		-name '*.bash' -o -path .ci/run | sort)
	echo "shellcheck ${files[*]}"
	shellcheck "${files[@]}" || status=1
}

"$top/scripts/dependencies.sh" build vm lint
[ $# != 0 ] || set -- style kernel user shell
for check; do
	case "$check" in
	style | kernel | user | shell) "lint_$check" ;;
	*) usage 2 ;;
	esac
done
[ "$status" = 0 ] || die "there are findings"
