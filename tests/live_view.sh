#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `tcphs live -i` in a terminal of 80x24, that of tmux: the list goes on, Enter
# opens a ladder, filters, pause, times, saving, other sizes; and q, SIGTERM and
# Ctrl-C leave the terminal as it was.
# shellcheck disable=SC2317,SC2329 # some functions are called by wait_for
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

tm() {
	tmux -L "tcphs.$$" -f /dev/null "$@"
}

keys() {
	tm send-keys "$@"
}

screen() {
	tm capture-pane -p
}

# shows PATTERN, row N PATTERN: does the screen, its N-th row ($: the last)?
shows() {
	screen | grep -qE -- "$1"
}

row_shows() {
	screen | sed -n "${1}p" | grep -qE -- "$2"
}

# seen NAME COMMAND...: soon; shows the screen if not
seen() {
	local name=$1
	shift
	if wait_for 60 "$@"; then
		pass "$name"
	else
		fail "$name" "$(screen)"
	fi
}

not() {
	! "$@"
}

# at_prompt: the shell has the terminal back
at_prompt() {
	[ "$(tm display -p '#{alternate_on} #{cursor_flag}')" = "0 1" ] && shows '^READY'
}

# One status line, and nothing below it.
last_is_status() {
	[ "$(screen | grep -c 'records/s')" = 1 ] &&
		screen | grep . | tail -n 1 | grep -q 'records/s'
}

# run COMMAND LINE: in the terminal, READY and its exit status after it
run() {
	keys "clear; stty -g >$WORK/stty.before; $*; echo READY \$?; stty -g >$WORK/stty.after" Enter
}

widest() {
	screen | python3 -c 'import sys; print(max(len(l.rstrip("\n")) for l in sys.stdin))'
}

begin
command -v tmux >/dev/null || skip_all "no tmux on this machine"
find_tool
module_load
netns_unused NS_LO
inode=$(netns_inode "$NS_LO")
export LANG=C.UTF-8 LC_ALL=C.UTF-8
tm new-session -d -x 80 -y 24 "PS1='$ ' bash --norc --noprofile" ||
	skip_all "tmux does not start"
defer tm kill-server

run "$TCPHS live -i --netns $inode"
seen "it takes the terminal" row_shows 1 'tcphs live'
seen "nothing happened yet" shows 'no connection yet'
./live.py talk "$NS_LO"
seen "connections come" row_shows 8 '^#6 +refused'
seen "the heading" row_shows 2 'OPEN +CLOSE +HANDSHAKE +CLIENT > SERVER'
seen "the line at the bottom" row_shows 24 '6 of 6 .*records/s +0 lost'
seen "a verdict" row_shows 6 '#4 +three-way +reset-by-client .* 127.0.0.1:[0-9]+ > 127.0.0.1:7304$'

keys g
seen "g: the first" row_shows 24 '1 of 6'
keys j
seen "j: the next" row_shows 24 '2 of 6'
keys k Enter
seen "Enter: its ladder" shows '── SYN seq=0 \[[0-9]+\] ─+▶'
seen "the ladder: client and server" row_shows 2 '^client 127.0.0.1:[0-9]+ +server 127.0.0.1:7301'
seen "the ladder: four-way close" shows 'four-way close'
is "80 columns are enough" "$(($(widest) <= 80))" 1
keys w
seen "w: dates" shows '^20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:.]+ .* SYN seq=0 '
tm resize-window -x 50 -y 10
seen "50x10: the last row is the line at the bottom" row_shows 10 '#1 +line 1 of'
is "50x10: nothing wider" "$(($(widest) <= 50))" 1
keys G
seen "G: the end of the ladder" shows 'TIME_WAIT'
keys q
seen "q: the list" row_shows 1 '^tcphs live'
tm resize-window -x 132 -y 30
seen "132x30: the last row" row_shows 30 '1 of 6'
seen "132x30: owners" row_shows 3 '\(python3/[0-9]+ > python3/[0-9]+\)'
tm resize-window -x 20 -y 4
seen "20x4" row_shows 1 '^tcphs live'
tm resize-window -x 80 -y 24
seen "80x24 again" row_shows 24 '1 of 6'
keys w
seen "w: how long it lasted" row_shows 2 ' LASTED '
keys w
seen "w: the start" row_shows 3 '[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} '

keys /
keys "port port"
seen "a wrong filter is said" row_shows 23 'syntax error'
keys Enter
seen "... and not taken" row_shows 24 '^filter: port port'
keys C-u "port 7302" Enter
seen "a filter" row_shows 1 'filter: port 7302'
seen "... chooses" row_shows 3 '^#2 .* > 127.0.0.1:7302$'
is "... one" "$(screen | grep -c '^#')" 1
keys /
keys C-u Enter
seen "no filter" row_shows 24 '6$|of 6 '

keys p
seen "p: paused" row_shows 1 'PAUSED'
./live.py talk "$NS_LO"
sleep 1
is "paused: it stands still" "$(screen | grep -c '^#')" 6
keys p
seen "p: all that came meanwhile" row_shows 14 '^#12 +refused'
seen "... nothing lost" row_shows 24 ' 0 lost'

keys s
keys C-u "$WORK/saved.tcphs" Enter
seen "s: saved" row_shows 24 'records written to'
is "what was saved can be read" \
	"$("$TCPHS" list -r "$WORK/saved.tcphs" --netns "$inode" --json | grep -c '"kind":"connection"')" 12
size=$(stat -c %s "$WORK/saved.tcphs")
keys s
keys C-u "$WORK/saved.tcphs" Enter
seen "s: a file that exists is refused" row_shows 24 'File exists'
is "... and stays" "$(stat -c %s "$WORK/saved.tcphs")" "$size"
# It was over a while ago, and goes on.
keys / C-u Enter
seen "no filter again" row_shows 24 ' of '
keys g Enter G
wait_for 120 shows 'TIME_WAIT lasted 6[0-9]\.[0-9] s'
seen "the end of TIME_WAIT, when it comes" shows 'CLOSE +TIME_WAIT lasted 6[0-9]\.[0-9] s'
keys q
keys '?'
seen "?: help" shows 'pcap-filter expression'
keys q
seen "q: the list again" row_shows 2 'CLIENT > SERVER'
keys q
seen "q: the terminal is back" at_prompt
seen "q: exit status" shows '^READY 0'
seen "q: its settings too" cmp "$WORK/stty.before" "$WORK/stty.after"

for end in INT TERM; do
	run "$TCPHS live -i"
	seen "SIG$end: it runs" row_shows 2 'CLIENT > SERVER'
	kill -$end "$(pgrep -f "^$TCPHS live -i")"
	seen "SIG$end: the terminal is back" at_prompt
	seen "SIG$end: its settings too" cmp "$WORK/stty.before" "$WORK/stty.after"
done

run "$TCPHS live -i -r $WORK/saved.tcphs --netns $inode"
seen "a recording" row_shows 14 '^#12 '
colours() {
	tm capture-pane -p -e | grep -qE "$(printf '\033')\[([0-9;]*;)?3[1-7]m"
}
seen "colours" colours
keys q
seen "the recording: back" at_prompt
run "NO_COLOR=1 $TCPHS live -i -r $WORK/saved.tcphs --netns $inode"
seen "NO_COLOR: it runs" row_shows 14 '^#12 '
seen "NO_COLOR: none" not colours
keys q
seen "NO_COLOR: back" at_prompt
run "LC_ALL=C $TCPHS live -i -r $WORK/saved.tcphs --netns $inode"
seen "no UTF-8: it runs" row_shows 14 '^#12 '
keys g Enter
seen "no UTF-8: ASCII" shows '-- SYN seq=0 .*->?'
keys q q
seen "no UTF-8: back" at_prompt

run "TERM=dumb $TCPHS live -i"
seen "TERM=dumb is refused" shows 'live -i needs a terminal'
seen "TERM=dumb: exit status" shows '^READY 2'
"$TCPHS" live -i >/dev/null 2>"$WORK/err" </dev/null
is "no terminal: exit status" $? 2

# Rows on a terminal: the status line is the last one, and none is left.
# In a namespace of their own: no TIME_WAIT of before ends among them.
netns_unused NS_ROWS
run "$TCPHS live --netns $(netns_inode "$NS_ROWS")"
seen "rows: the status line" shows '^0 connections, 0 over, 0 records/s, 0 lost$'
./live.py talk "$NS_ROWS"
seen "rows: it goes along" shows '^6 connections, .* 0 lost$'
seen "rows: there is one, the last" last_is_status
keys C-c
seen "rows: the summary" shows '^6 connections: 5 three-way, 1 refused$'
is "rows: no status line is left" "$(screen | grep -c 'records/s')" 0

run "$TCPHS live -i"
seen "rmmod: it runs" row_shows 2 'CLIENT > SERVER'
check "rmmod: it goes" timeout 60 rmmod tcphs
seen "rmmod: it says so" row_shows 24 'the module was unloaded'
keys q
seen "rmmod: back" at_prompt
finish
