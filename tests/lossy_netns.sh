#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who sees its own network namespace alone is told of the losses that may be its own:
# of those that lasted into its time, whenever they began, and of no older ones.
. "$(dirname "$0")/lib.sh"
. "$TESTS_DIR/window.sh"

USER_ID=61234
stranger=(setpriv "--reuid=$USER_ID" "--regid=$USER_ID" --clear-groups)

# container NAME: waits in a user and a network namespace of its own; "go" through
# $WORK/NAME.in makes it look, "end" leave
container() {
	mkdir "$WORK/$1" && chown "$USER_ID" "$WORK/$1"
	mkfifo "$WORK/$1.in"
	# shellcheck disable=SC2016 # expanded in there
	"${stranger[@]}" unshare -Urn sh -c '
		ip link set lo up
		python3 -c "import socket
listener = socket.create_server((\"127.0.0.1\", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
client.close()
server.close()"
		: >"$2/ready"
		while read -r word && [ "$word" = go ]; do
			cat /proc/tcphs/timeline >"$2/text"
			"$1" events --json >"$2/events"
			"$1" timeline --strict >/dev/null 2>&1
			echo $? >"$2/status"
		done' sh "$TCPHS" "$WORK/$1" <>"$WORK/$1.in" &
	defer kill $!
	wait_for 30 test -e "$WORK/$1/ready" || fail "$1 is there"
}

# look NAME
look() {
	rm -f "$WORK/$1/status"
	echo go >"$WORK/$1.in"
	wait_for 60 test -s "$WORK/$1/status" || fail "$1 looks"
}

losses() {
	is "losses in the text of $1" "$(grep -q 'lost some records' "$WORK/$1/text" && echo some || echo none)" "$2"
	is "losses in the events of $1" \
		"$(grep -q '"kind": *"lost"' "$WORK/$1/events" && echo some || echo none)" "$2"
	is "exit status of $1 with --strict" "$(cat "$WORK/$1/status")" "$3"
}

begin
find_tool
command -v setpriv >/dev/null || skip_all "no setpriv on this machine"
"${stranger[@]}" unshare -Urn true 2>/dev/null ||
	skip_all "an ordinary user makes no user namespaces here"
cp "$TCPHS" "$WORK/tcphs" && chmod 755 "$WORK" "$WORK/tcphs"
TCPHS=$WORK/tcphs
module_load ring_kb=8
kernel_mark
netns_add NS_LO
container first
look first
losses first none 0
./churn.py --count 200 --workers 4 "$NS_LO" >/dev/null
look first
losses first some 4
# What the rings have now is the end of that storm.
container second
look second
losses second none 0
kernel_quiet "the kernel has not complained"
finish
