#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds what goes into the VM: the module for the VM's kernel, and the reader.
#
# usage: scripts/build.sh

. "$(dirname "$0")/common.sh"

# Called by make; those it calls are to be runs of their own.
unset MAKEFLAGS MFLAGS MAKELEVEL

build_all() {
	make -C "$top" --no-print-directory module KDIR="$1" V="${V:-0}" >&2
	make -C "$top" --no-print-directory user V="${V:-0}" >&2
}

headers=$("$top/scripts/kernel.sh" headers)
locked build build_all "$headers"
