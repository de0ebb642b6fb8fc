#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Asks each server to take no records into the columns that the feed sends, and looks
# at the queue: what is wrong is named, and the exit status is 1.
#
# usage: check.sh STATE-DIRECTORY CONTROL-SOCKET
#
# With the environment of tcphs-fleet@.service, which runs it when it begins; its
# timer runs it again. The feed goes on by itself when the trouble is over.
status=0

# complain TEXT
complain() {
	echo "tcphs-fleet: $1" >&2
	status=1
}

for url in $TCPHS_ENGINE; do
	said=$(curl -sS --max-time 20 --fail-with-body --data-binary "$TCPHS_INSERT" "$url" 2>&1) ||
		complain "${url%%\?*}: $said"
done

queued=$(syslog-ng-ctl stats -c "$2" 2>/dev/null | sed -n 's/.*d_engine#0.*;queued;//p')
if [ -n "$queued" ]; then
	size=$(stat -c %s "$1"/*.rqf 2>/dev/null | sort -n | tail -n 1)
	# fleet.conf's mem-buf-size is what syslog-ng keeps free of it.
	if [ "$queued" -gt 0 ] && [ "$size" -ge $((TCPHS_QUEUE_BYTES - 16777216)) ]; then
		complain "the disk queue in $1 is full: $queued records, $size of $TCPHS_QUEUE_BYTES bytes; what comes now waits in the module's ring"
	fi
fi
exit "$status"
