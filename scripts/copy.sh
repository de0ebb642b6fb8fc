# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # common.sh sets top
#
# A copy of the project to build and test in, so that what is built for one
# kernel is not in the way of another. Sourced after common.sh.

# copy_project DIRECTORY: the project as it is now. All of it counts as new: a file
# that changed here while its older copy was being compiled there would not be seen
# by its time.
copy_project() {
	mkdir -p "$1"
	tar -c -C "$top" --exclude=./build --exclude=./.git --exclude='*.o' \
		--exclude='.*.cmd' --exclude='*.ko' --exclude='*.mod' \
		--exclude='*.mod.c' --exclude=./user/tcphs --exclude=./user/.suite \
		--exclude=Module.symvers --exclude=modules.order --exclude='*.d' \
		--exclude=./tests/unit/plain --exclude=./tests/unit/sanitized . |
		tar -x -m -C "$1"
}
