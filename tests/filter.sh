#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The filter, at load and at run time: what it lets through is complete, the
# rest leaves no record; a bad line is refused and changes nothing.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

FILTER=/proc/tcphs/filter

# write_once TEXT: in one write(), as the shell's own printf does not
write_once() {
	printf '%b' "$1" >"$WORK/line"
	dd if="$WORK/line" of=$FILTER bs=1M status=none
}

# refused_line TEXT [ERROR]: EINVAL or that one, and the filter is what it was
refused_line() {
	local before error
	before=$(cat $FILTER)
	error=$(write_once "$1" 2>&1)
	contains "'${1:0:40}' is refused" "$error" "${2:-Invalid argument}"
	is "and changes nothing" "$(cat $FILTER)" "$before"
}

# written_is NAME TEXT WANTED
written_is() {
	check "$1" write_once "$2"
	is "$1: reads back" "$(cat $FILTER)" "$3"
}

# story NAME [JUDGE-OPTION...]: some connections under the filter in force
story() {
	local name=$1 kept
	shift
	comment "$name"
	window_open
	window_traffic close,port=7001 close,port=7002 \
		reset_linger,port=7003,family=inet
	window_close
	window_judge "$@"
	kept=$(wc -l <"$WORK/records")
	is "$name: only what is kept was written" \
		"$(sed -n 's/^records_written //p' "$WORK/stats.txt")" "$kept"
	check "$name: and the rest is counted" \
		grep -Eq '^records_filtered [1-9]' "$WORK/stats.txt"
}

ask_tool() {
	echo "'$TCPHS' events --json >'$WORK/events.json'"
	echo "'$TCPHS' timeline --json >'$WORK/timeline.json'"
	echo "./records.py >'$WORK/records'"
}

begin
find_tool
module_load
place_loopback
place_netns

is "no filter at first" "$(cat $FILTER)" off
written_is "a port" 'port 7001' "port 7001"
written_is "ports in any order" 'port 7003 80\n' "port 80 7003"
written_is "netns and port" 'netns 4026531840\nport 80\n' \
	$'port 80\nnetns 4026531840'
for line in '' '\n' 'port' 'port 0' 'port 65536' 'port -1' 'port x' 'port 80 x' \
	'port 80x' 'netns' 'netns 0' 'netns -1' 'netns x' 'on' 'off 1' 'off\nport 80' \
	'port 81\nbogus' 'bogus\nport 81' 'PORT 80' 'port 80\0' 'port,80'; do
	[ -n "$line" ] || continue	# write() of nothing is no line
	refused_line "$line"
done
refused_line "port $(seq -s ' ' 1 500)x"
refused_line "port $(seq -s ' ' 1 65535)" "Argument list too long"
refused_line "$(printf 'netns %s\\n' $(seq 1 3) x)"
written_is "off" 'off' off

# The shell's own printf writes each line by itself: one file, one filter.
# shellcheck disable=SC2059 # the format is the text
{
	printf 'port 7001\nnetns 4026531840\n' >$FILTER
	is "lines written one by one" "$(cat $FILTER)" \
		$'port 7001\nnetns 4026531840'
	printf 'port 80\noff\n' >$FILTER
	is "off among them stands alone" "$(cat $FILTER)" off
	! printf 'port 80\nbogus\n' 2>/dev/null >$FILTER
	is "a bad one is refused, those before hold" "$(cat $FILTER)" "port 80"
	echo off >$FILTER
}

echo "port 7001 7003" >$FILTER
story "filter by port" --ports 7001,7003
module_load ports=7002
is "ports= at load" "$(cat $FILTER)" "port 7002"
story "ports= at load" --ports 7002
module_load
echo "netns $(netns_inode "$NS_S")" >$FILTER
story "filter by netns" --netns "$NS_S"
finish
