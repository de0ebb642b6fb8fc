#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who may open /proc/tcphs: CAP_NET_ADMIN in the initial user namespace sees
# every network namespace; with CAP_NET_ADMIN over its own alone one sees that
# alone; members of gid= see everything; everybody else gets EACCES. Only the
# first may set the filter.
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

begin
find_tool
command -v setpriv >/dev/null || skip_all "no setpriv on this machine"
command -v unshare >/dev/null || skip_all "no unshare on this machine"
cp "$TCPHS" "$WORK/tcphs" && chmod 755 "$WORK" "$WORK/tcphs"
TCPHS=$WORK/tcphs
module_load
netns_add NS_LO
./churn.py --count 2 --workers 1 "$NS_LO" >/dev/null

for file in $FILES; do
	can_open root "$file" env
	cannot_open "an ordinary user" "$file" "${stranger[@]}"
	cannot_open "root without CAP_NET_ADMIN" "$file" "${powerless[@]}"
	cannot_open "a member of gid=, when there is none" "$file" "${member[@]}"
	cannot_open "root of a user namespace in the first netns" "$file" \
		"${stranger[@]}" unshare -Ur
done
tool_refused "an ordinary user" "${stranger[@]}"
tool_refused "root without CAP_NET_ADMIN" "${powerless[@]}"
cannot_set "an ordinary user" "${stranger[@]}"
cannot_set "root without CAP_NET_ADMIN" "${powerless[@]}"
check "root sees every netns" sh -c "'$TCPHS' events --json |
	grep -q '\"netns\": *$(netns_inode "$NS_LO")\\b'"

# A container's view: a user namespace with a netns of its own.
cat >"$WORK/own.sh" <<-END
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
	stat -L -c %i /proc/self/ns/net >'$WORK/own/inode'
	'$TCPHS' events --json >'$WORK/own/events'
	'$TCPHS' timeline --json >'$WORK/own/timeline'
	cat /proc/tcphs/timeline >'$WORK/own/text'
	cat /proc/tcphs/stats >'$WORK/own/stats'
	(echo port 1 >/proc/tcphs/filter) 2>'$WORK/own/filter'
END
mkdir "$WORK/own" && chown $USER_ID "$WORK/own"
if "${stranger[@]}" unshare -Urn true 2>/dev/null; then
	"${stranger[@]}" unshare -Urn sh "$WORK/own.sh" >"$WORK/own.log" 2>&1
	comment "$(cat "$WORK/own.log")"
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
cannot_set "a member of gid=" "${member[@]}"
is "nobody has set the filter" "$(cat /proc/tcphs/filter)" off
finish
