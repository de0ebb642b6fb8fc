#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who may open /proc/tcphs: CAP_NET_ADMIN in the initial user namespace sees
# every network namespace; with CAP_NET_ADMIN over its own alone one sees that
# alone, since it is this one, and learns nothing of others; members of gid= see
# everything, from another netns that one; everybody else gets EACCES. Only the
# first may set the filter. When the module goes, so does all.
# shellcheck disable=SC2317,SC2329 # a function is called by wait_for
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

USER_ID=61234
GROUP_ID=61235
FILES="timeline events stats filter"

# as [SETPRIV-OPTION...] -- COMMAND...
user=(setpriv "--reuid=$USER_ID" "--regid=$USER_ID")
stranger=("${user[@]}" --clear-groups)
member=("${user[@]}" "--groups=$GROUP_ID")
powerless=(setpriv --bounding-set=-net_admin --inh-caps=-net_admin)
able=("${stranger[@]}" --inh-caps=+net_admin --ambient-caps=+net_admin)

# can_open WHO FILE COMMAND-PREFIX...
can_open() {
	local who=$1 file=$2
	shift 2
	check "$who opens $file" "$@" sh -c "exec 3</proc/tcphs/$file"
}

# cannot_open WHO FILE COMMAND-PREFIX...: EACCES and nothing else
cannot_open() {
	local who=$1 file=$2
	shift 2
	contains "$who cannot open $file" \
		"$("$@" sh -c "exec 3</proc/tcphs/$file" 2>&1)" "Permission denied"
}

# cannot_set WHO COMMAND-PREFIX...
cannot_set() {
	local who=$1
	shift
	contains "$who cannot set the filter" \
		"$("$@" sh -c "echo port 1 >/proc/tcphs/filter" 2>&1)" "Permission denied"
}

# tool_refused WHO COMMAND-PREFIX...: exit 3, and the message helps
tool_refused() {
	local who=$1 said
	shift
	said=$("$@" "$TCPHS" events 2>&1)
	is "$who: the reader's exit status" $? 3
	contains "$who: the reader says what helps" "$said" sudo
}

# netns_seen: the netns in JSON rows, one per line
netns_seen() {
	grep -o '"netns": *[0-9]*' | tr -dc '0-9\n' | sort -u
}

# own NAME COMMAND-PREFIX...: a connection in a netns of one's own, and what is
# seen from there, in $WORK/NAME
own() {
	local name=$1
	shift
	mkdir "$WORK/$name" && chown "$USER_ID" "$WORK/$name"
	"$@" sh "$WORK/own.sh" "$WORK/$name" >"$WORK/$name.log" 2>&1
	comment "$(cat "$WORK/$name.log")"
}

# hold DIRECTORY: opens its events in a netns of its own, which it leaves then
hold() {
	mkdir "$1" && chown "$USER_ID" "$1"
	exec "${stranger[@]}" unshare -Urn sh -c "
		exec 3</proc/tcphs/events
		stat -L -c %i /proc/self/ns/net >'$1/inode'
		exec unshare -n sleep 600"
}

# left DIRECTORY PID: hold() has come that far
left() {
	[ -s "$1/inode" ] && [ "$(stat -L -c %i "/proc/$2/ns/net")" != "$(cat "$1/inode")" ]
}

# written: how many records there were
written() {
	awk '$1 == "records_written" { print $2 }' /proc/tcphs/stats
}

# entered PID: it is in a user namespace of its own
entered() {
	! [ "/proc/$1/ns/user" -ef /proc/self/ns/user ]
}

# again INODE: a netns that got this number is there, and what it sees is in
# $WORK/again; the kernel frees a number some time after its netns, and gives it to
# a namespace of any kind: the user namespace is there before
again() {
	rm -rf "$WORK/again"
	mkdir "$WORK/again" && chown "$USER_ID" "$WORK/again"
	nsenter --user --target "$dweller" ./reborn.py "$1" sh -c "
		cat /proc/tcphs/timeline >'$WORK/again/text'
		'$TCPHS' events --json >'$WORK/again/events'"
}

# stale FILE FD: an open file of a module that is gone gives nothing
stale() {
	local said
	said=$(timeout 20 cat <&"$2" 2>/dev/null | head -c 100 | od -An -c)
	is "$1, still open, has nothing to read" "$said" ""
}

begin
find_tool
command -v setpriv >/dev/null || skip_all "no setpriv on this machine"
command -v unshare >/dev/null || skip_all "no unshare on this machine"
cp "$TCPHS" "$WORK/tcphs" && chmod 755 "$WORK" "$WORK/tcphs"
TCPHS=$WORK/tcphs
# Where others work, what is told in the next second is not overwritten by then.
module_load ring_kb=16384
netns_add NS_LO
./churn.py --count 2 --workers 1 "$NS_LO" >/dev/null

for file in $FILES; do
	can_open root "$file" env
	can_open "an ordinary user with CAP_NET_ADMIN" "$file" "${able[@]}"
	cannot_open "an ordinary user" "$file" "${stranger[@]}"
	cannot_open "root without CAP_NET_ADMIN" "$file" "${powerless[@]}"
	cannot_open "a member of gid=, when there is none" "$file" "${member[@]}"
	cannot_open "root of a user namespace in the first netns" "$file" \
		"${stranger[@]}" unshare -Ur
done
tool_refused "an ordinary user" "${stranger[@]}"
tool_refused "root without CAP_NET_ADMIN" "${powerless[@]}"
check "an ordinary user with CAP_NET_ADMIN sees every netns" "${able[@]}" sh -c \
	"'$TCPHS' events --json | grep -q '\"netns\": *$(netns_inode "$NS_LO")\\b'"
cannot_set "an ordinary user" "${stranger[@]}"
cannot_set "root without CAP_NET_ADMIN" "${powerless[@]}"
check "root sees every netns" sh -c "'$TCPHS' events --json |
	grep -q '\"netns\": *$(netns_inode "$NS_LO")\\b'"

check "root sees every netns from within another one" \
	ip netns exec "$NS_LO" sh -c "exec 3</proc/tcphs/filter && '$TCPHS' events --json |
	grep -q '\"netns\": *$(netns_inode "$NS_LO")\\b'"

# A container's view: a user namespace with a netns of its own.
cat >"$WORK/own.sh" <<-END
	out=\$1
	ip link set lo up
	python3 -c 'import socket
	l = socket.socket()
	l.bind(("127.0.0.1", 0))
	l.listen()
	c = socket.create_connection(l.getsockname())
	s = l.accept()[0]
	c.close()
	s.close()
	'
	stat -L -c %i /proc/self/ns/net >\$out/inode
	'$TCPHS' events --json >\$out/events
	'$TCPHS' timeline --json >\$out/timeline
	dd if=/proc/tcphs/events bs=4096 count=1 2>/dev/null | head -c 144 | tail -c 64 | tr -d '\\0' >\$out/hostname
	cat /proc/tcphs/timeline >\$out/text
	cat /proc/tcphs/stats >\$out/stats
	cat /proc/tcphs/filter >\$out/filter.read
	(echo port 1 >/proc/tcphs/filter) 2>\$out/filter
END
userns=
if "${stranger[@]}" unshare -Urn true 2>/dev/null; then
	userns=1
	"${stranger[@]}" unshare -Ur sleep 600 &
	dweller=$!
	defer kill "$dweller"
	wait_for 30 entered "$dweller" || fail "a process enters a user namespace"
	echo "netns $(netns_inode "$NS_LO")" >/proc/tcphs/filter
	own other "${stranger[@]}" unshare -Urn
	is "its filter names no other netns" "$(cat "$WORK/other/filter.read")" "netns other"
	is "and nothing of its own is recorded then" \
		"$(netns_seen <"$WORK/other/events")" ""
	echo off >/proc/tcphs/filter
	own own "${stranger[@]}" unshare -Urn --uts sh -c 'hostname inside && exec "$@"' sh
	inode=$(cat "$WORK/own/inode")
	is "root of its own netns sees that alone" \
		"$(netns_seen <"$WORK/own/events")" "$inode"
	is "its timeline too" "$(netns_seen <"$WORK/own/timeline")" "$inode"
	is "its text has one listener and one connection" \
		"$(grep -c '^A ' "$WORK/own/text")" 2
	contains "its stats" "$(cat "$WORK/own/stats")" "segments_mode handshake"
	is "its stats tell nothing of others" \
		"$(grep -c written "$WORK/own/stats")" 0
	contains "it cannot set the filter" "$(cat "$WORK/own/filter")" \
		"Permission denied"
	is "the header has its own host's name" "$(cat "$WORK/own/hostname")" inside
	for file in $FILES; do
		cannot_open "root of its own netns without CAP_NET_ADMIN" "$file" \
			"${stranger[@]}" unshare -Urn \
			setpriv --bounding-set=-net_admin --inh-caps=-net_admin
		cannot_open "root of a user namespace inside of the netns' own" "$file" \
			"${stranger[@]}" unshare -Urn unshare -Ur
	done
	# As long as its events are open, nobody else gets its number.
	hold "$WORK/held" &
	holder=$!
	defer kill "$holder"
	wait_for 30 left "$WORK/held" "$holder" || fail "a process leaves its netns"
	held=$(cat "$WORK/held/inode")
	if wait_for 10 again "$held"; then
		fail "a netns whose events are open keeps its number" "$held was given anew"
	else
		pass "a netns whose events are open keeps its number"
	fi
	kill "$holder"
	check "it is free when they are closed" wait_for 60 again "$held"
	# The number of a netns that is gone goes to another one.
	if wait_for 60 again "$inode"; then
		pass "a new netns gets an old one's number"
		is "a new netns with an old one's number sees none of its records" \
			"$(netns_seen <"$WORK/again/events")" ""
		is "nor has its text any" "$(grep -c '^A ' "$WORK/again/text")" 0
		check "they are still there for root" sh -c "'$TCPHS' events --json |
			grep -q '\"netns\": *$inode\\b'"
	else
		fail "a new netns gets an old one's number"
	fi
	# Nothing for it, and others write all the time: it ends when it is told to.
	./churn.py --workers 2 "$NS_LO" >/dev/null &
	others=$!
	defer kill "$others"
	wrote=$(written)
	relayed "${stranger[@]}" unshare -Urn ./onlooker.py poll 3
	check "others have worked meanwhile" test "$(written)" -gt $((wrote + 1000))
	"${stranger[@]}" unshare -Urn cat /proc/tcphs/events >/dev/null &
	reader=$!
	sleep 2
	kill -TERM "$reader"
	SECONDS=0
	wait "$reader"
	is "a reader that sees nothing can be killed" "$?" 143
	check "... at once" test "$SECONDS" -lt 5
	kill "$others"
	wait "$others"
else
	skip "root of its own netns" "no user namespaces for users here"
fi

module_load gid=$GROUP_ID
./churn.py --count 2 --workers 1 "$NS_LO" >/dev/null
for file in $FILES; do
	can_open "a member of gid=" "$file" "${member[@]}"
	cannot_open "an ordinary user beside gid=" "$file" "${stranger[@]}"
done
check "a member of gid= sees every netns" "${member[@]}" sh -c \
	"'$TCPHS' events --json | grep -q '\"netns\": *$(netns_inode "$NS_LO")\\b'"
netns_add neighbour
# shellcheck disable=SC2154 # neighbour: set by netns_add
./churn.py --count 2 --workers 1 "$neighbour" >/dev/null
is "a member of gid= sees one netns from within that" \
	"$(ip netns exec "$NS_LO" "${member[@]}" "$TCPHS" events --json | netns_seen)" \
	"$(netns_inode "$NS_LO")"
cannot_set "a member of gid=" "${member[@]}"
if [ -n "$userns" ]; then
	for file in $FILES; do
		cannot_open "a member of gid= in a user namespace" "$file" \
			"${member[@]}" unshare -Ur
	done
	own member "${member[@]}" unshare -Urn
	is "a member of gid= in its own netns sees that alone" \
		"$(netns_seen <"$WORK/member/events")" "$(cat "$WORK/member/inode")"
fi
is "nobody has set the filter" "$(cat /proc/tcphs/filter)" off
if [ -n "$userns" ]; then
	module_load gid=$GROUP_ID ring_kb=64
	./churn.py --workers 2 "$NS_LO" >/dev/null &
	others=$!
	defer kill "$others"
	relayed "${stranger[@]}" unshare -Urn ./onlooker.py lost
	contains "its text does not tell how many, either" \
		"$("${stranger[@]}" unshare -Urn sh -c "sleep 1; cat /proc/tcphs/timeline")" \
		"lost some records of CPU"
	kill "$others"
	wait "$others"
fi

# Open files outlive the module; what they had does not.
# shellcheck disable=SC2034 # used by name
{
	exec {timeline}</proc/tcphs/timeline {events}</proc/tcphs/events
	exec {stats}</proc/tcphs/stats {filter}</proc/tcphs/filter
}
head -c 100 <&"$timeline" >/dev/null
for round in unloaded "loaded again"; do
	if [ "$round" = unloaded ]; then
		rmmod tcphs
	else
		module_insert
	fi
	comment "$round"
	for file in $FILES; do
		stale "$file" "${!file}"
	done
done
finish
