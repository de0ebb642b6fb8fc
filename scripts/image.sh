#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes an ext4 image of a directory tree, or of a tar file, without mounting.
#
# usage: scripts/image.sh TREE|FILE.tar IMAGE [FREE_MB]
#
# In the image everything belongs to whom the tar says, and all to root when it
# is made of a tree. FREE_MB megabytes stay free in it.

. "$(dirname "$0")/common.sh"

[ $# -ge 2 ] || usage 2
source=$1 image=$2 free=${3:-0}

# mke2fs -d reads owners and modes from the file system: without root, fakeroot
# pretends them.
if [ "$(id -u)" != 0 ] && [ -z "${FAKEROOTKEY:-}" ]; then
	need fakeroot vm
	exec fakeroot -- "$0" "$@"
fi
need mke2fs vm

tree=$source
if [ -f "$source" ]; then
	tree=$(mktemp -d "$image.XXXXXX")
	trap 'rm -rf "$tree"' EXIT
	tar -xpf "$source" -C "$tree" --numeric-owner
fi

# A little more than the files need: their blocks, inodes and the metadata.
blocks=$(du -sk --apparent-size "$tree" | cut -f 1)
files=$(find "$tree" | wc -l)
size=$((blocks + files * 4 + blocks / 10 + free * 1024 + 8192))

rm -f "$image.new"
truncate -s "${size}k" "$image.new"
mke2fs -q -t ext4 -O ^has_journal -m 0 -N $((files + 20000)) -E root_owner=0:0 \
	-d "$tree" "$image.new"
mv "$image.new" "$image"
