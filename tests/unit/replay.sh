#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The reader's text, exactly: for tests/data/NAME.HOW.expected, NAME.scene or
# NAME.tcphs is shown in the way HOW.
#
# usage: replay.sh DIRECTORY-OF-PROGRAMS [write]
#
# With `write` the expected files are made anew: look at their difference.

out=$1
data=../data
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export TZ=UTC LC_ALL=C.UTF-8 COLUMNS=80
unset NO_COLOR

show() {
	how=$1
	file=$2
	case $how in
	mmd | svg) "$out/tcphs" export -r "$file" -o "$work/got.$how" && cat "$work/got.$how" ;;
	timeline | list | events) "$out/tcphs" "$how" -r "$file" ;;
	json) "$out/tcphs" timeline --json -r "$file" ;;
	events-json) "$out/tcphs" events --json -r "$file" ;;
	ascii) "$out/tcphs" timeline --ascii -r "$file" ;;
	owner | owner-list | owner-events)
		how=${how#owner}
		how=${how#-}
		"$out/tcphs" "${how:-timeline}" --owner -r "$file"
		;;
	absolute) "$out/tcphs" timeline -S -r "$file" ;;
	wide) COLUMNS=120 "$out/tcphs" timeline -r "$file" ;;
	narrow) COLUMNS=20 "$out/tcphs" timeline -r "$file" ;;
	color) "$out/tcphs" timeline --color=always -r "$file" ;;
	explained) "$out/tcphs" timeline --explain -r "$file" ;;
	explained-narrow) COLUMNS=30 "$out/tcphs" timeline --explain -S -r "$file" ;;
	explained-json) "$out/tcphs" timeline --explain --json -r "$file" ;;
	explain) "$out/scene_test" -e "$data/$name.scene" ;;
	date) "$out/tcphs" timeline -tttt -r "$file" ;;
	*) echo "replay.sh: no way of showing is called $how" ;;
	esac 2>&1
}

status=0
for expected in "$data"/*.expected; do
	name=${expected##*/}
	name=${name%.expected}
	how=${name##*.}
	name=${name%.*}
	file=$data/$name.tcphs
	if [ ! -e "$file" ]; then
		file=$work/$name.tcphs
		"$out/scene_test" -o "$file" "$data/$name.scene" || exit 2
	fi
	show "$how" "$file" >"$work/got"
	if [ "${2:-}" = write ]; then
		cp "$work/got" "$expected"
	elif diff -u "$expected" "$work/got" >"$work/diff"; then
		echo "ok $name as $how"
	else
		echo "not ok $name as $how"
		sed 's/^/# /' "$work/diff"
		status=1
	fi
done
exit $status
