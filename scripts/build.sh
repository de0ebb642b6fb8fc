#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds what goes into the VM: the module for the VM's kernel, and the reader,
# with the compiler of the guest's suite (see scripts/toolroot.sh).
#
# usage: scripts/build.sh

. "$(dirname "$0")/common.sh"

# Called by make; those it calls are to be runs of their own.
unset MAKEFLAGS MFLAGS MAKELEVEL

# build_with MAKE-WORD...
build_with() {
	"$top/scripts/toolroot.sh" make -j"$(nproc)" -C "$top" --no-print-directory \
		"$@" V="${V:-0}" >&2
}

build_all() {
	build_with module KDIR="$1"
	build_with user
}

movable
headers=$("$top/scripts/kernel.sh" headers)
# With one's own kernel, toolroot.sh must bring in its build directory, too.
export KDIR=$headers
# Copies of the project may share build/, and need not wait for each other.
locked "build${top//\//-}" build_all "$headers"
