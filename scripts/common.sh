# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script here shares: where things are, how to speak, how to lock.
# Sourced, never run. Sets:
#
#	top	the project's root
#	build	where everything downloaded or made for the VM goes (BUILD=)
#	suite	the Debian suite of the guest and its kernel (SUITE=)
#	arch	the architecture of both
#
set -euo pipefail
shopt -s inherit_errexit

# System tools that are not in an ordinary user's path.
PATH=$PATH:/usr/sbin:/sbin

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # used by those who source this
{
	build=${BUILD:-$top/build}
	suite=${SUITE:-bookworm}
	arch=amd64
}

# Progress goes to stderr: stdout belongs to what was asked for.
say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# movable: stop where the kernel's build, which is not careful, could not work
movable() {
	case "$top$build" in
	*[[:space:]:]*)
		die "the kernel's build takes no path with a space or a colon: move the project, $top${BUILD:+, or name another BUILD=}"
		;;
	esac
}

# usage STATUS: show the script's head comment from "usage:" on, and stop.
usage() {
	sed -n '/^# usage:/,/^\([^#]\|$\)/{ s/^# \{0,1\}//p }' "$0" >&2
	exit "$1"
}

# need COMMAND PURPOSE: stop with the command that helps when it is missing.
need() {
	command -v "$1" >/dev/null 2>&1 ||
		die "$1 is not installed; scripts/dependencies.sh $2 installs it"
}

# room MIB DIRECTORY: stop when its disk has less left
room() {
	local left
	left=$(df --output=avail -BM "$2" | tail -n 1 | tr -dc 0-9)
	[ "$left" -ge "$1" ] ||
		die "$left MiB are left on the disk of $2, and $1 are needed: make room, or name another directory with BUILD="
}

# totals: the last line of a check, of the variables of these names
# shellcheck disable=SC2154 # they are the caller's
totals() {
	local line="$passed passed, $failed failed"
	[ "$skipped" = 0 ] || line+=", $skipped skipped"
	[ "$unsteady" = 0 ] || line+=", $unsteady unsteady"
	echo "$line"
}

# total_of WORD LINE: the N of "N WORD" in such a line
total_of() {
	sed -n "s/.*\b\([0-9][0-9]*\) $1.*/\1/p" <<<"$2" | grep . || echo 0
}

# locked NAME COMMAND...: run COMMAND (a function too) while no one else runs
# anything under the same NAME; several people may use one build directory.
locked() {
	local name=$1
	shift
	mkdir -p "$build/lock"
	(
		if ! flock -n 9; then
			say "waiting for another run to finish: $name"
			flock 9
		fi
		"$@"
	) 9>"$build/lock/$name"
}
