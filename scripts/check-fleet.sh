#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A fleet of two hosts: two VMs that talk to each other, one of which also has the two
# shards of a ClickHouse; both feed it as scripts/fleet does. What the engine has at the
# end is compared with what the two modules wrote.
#
# usage: [CONNECTIONS=50000] scripts/check-fleet.sh
#
# Takes an hour where the VMs are emulated, and 7 GB of memory. What it printed
# is kept in build/fleet (LOGS= elsewhere). Ends with the line "N passed, N failed".

. "$(dirname "$0")/common.sh"
. "$top/scripts/ktap.sh"

[ $# = 0 ] || usage 2
connections=${CONNECTIONS:-50000}
[[ "$connections" =~ ^[1-9][0-9]*$ ]] || die "CONNECTIONS=$connections: a number is meant"
logs=${LOGS:-$build/fleet}
timeout=${TIMEOUT:-7200}
unset MAKEFLAGS MFLAGS MAKELEVEL

"$top/scripts/dependencies.sh" build vm
"$top/scripts/build.sh"
export PACKAGES="clickhouse-server clickhouse-client curl syslog-ng-core syslog-ng-mod-http systemd"
"$top/scripts/rootfs.sh" >/dev/null
mkdir -p "$logs"

# The wire between them: two sockets, whose names must be short.
wire=$(mktemp -d)
alpha=
# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "$alpha" ] || kill "$alpha" 2>/dev/null || true
	rm -rf "$wire"
}
trap finish EXIT

# vm HOST PEER NUMBER MB
vm() {
	local disk=$logs/$1.ext4 extra status=0

	# For queues and recordings: gigabytes, and the guest's /tmp is memory.
	rm -f "$disk"
	truncate -s 8G "$disk"
	mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1 "$disk"
	extra="-drive file=$disk,if=none,id=work,format=raw,cache=unsafe"
	extra+=" -device virtio-blk-pci,drive=work,serial=work -netdev dgram,id=wire,local.type=unix,local.path=$wire/$1"
	extra+=",remote.type=unix,remote.path=$wire/$2"
	extra+=" -device virtio-net-pci,netdev=wire,mac=52:54:00:00:00:0$3"
	QEMU_EXTRA=$extra "$top/scripts/vm.sh" run --smp 2 --mem "$4" --timeout "$timeout" \
		--name "fleet-$1" -- scripts/check-fleet-guest.py "$1" "$connections" ||
		status=$?
	rm -f "$disk"
	return "$status"
}

(vm alpha beta 1 3072) >"$logs/alpha.log" 2>&1 &
alpha=$!
ktap_program "a fleet of two hosts" "$logs/fleet.log" vm beta alpha 2 4096
status=0
wait "$alpha" || status=$?
alpha=
if [ "$status" = 0 ]; then
	passed=$((passed + 1))
	echo "ok   the other host's run             it ended by itself and its kernel log is clean"
else
	failed=$((failed + 1))
	echo "FAIL the other host's run             exit=$status"
	tail -n 20 "$logs/alpha.log" | sed 's/^/       /'
fi
grep '^# ' "$logs/fleet.log" || true
echo "what they printed is in ${logs#"$top"/}"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
