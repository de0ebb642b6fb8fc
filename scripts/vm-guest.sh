#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# First process of the guest's own root: makes it a Linux that tests can live
# in, runs the job's command, and reports to the host over virtio-serial ports:
#
#	tcphs.out	what the command prints, live
#	tcphs.dmesg	the kernel log, at the end
#	tcphs.results	a tar of /results, at the end
#	tcphs.status	"TOKEN STATUS", last of all: without it the run failed
#
# The job lies in /.vm: command (a bash script), token, terminal (for a shell).
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8 TERM=dumb

port() {
	local name
	for name in /sys/class/virtio-ports/*/name; do
		if [ "$(<"$name")" = "$1" ]; then
			name=${name%/name}
			echo "/dev/${name##*/}"
			return
		fi
	done
	echo /dev/null
}

mount -o remount,rw /
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts /dev/shm /results /run/lock
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t securityfs securityfs /sys/kernel/security
ln -sfn /proc/self/fd /dev/fd
ln -sfn /proc/self/fd/0 /dev/stdin
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr
hostname tcphs
echo '127.0.0.1 localhost tcphs' >/etc/hosts
echo '::1 localhost tcphs' >>/etc/hosts
ip link set lo up

cd /tcphs || cd /
if [ -e /.vm/terminal ]; then
	# An interactive shell on the virtio console, with job control.
	read -r TERM rows columns </.vm/terminal
	export TERM
	setsid --ctty --wait bash -c "stty rows $rows columns $columns; exec bash -i" \
		</dev/hvc0 >/dev/hvc0 2>&1
else
	# Through a pipe: programs open /dev/stdout anew, a port lets in only one.
	mkfifo /run/output
	cat /run/output >"$(port tcphs.out)" &
	cat=$!
	setsid --wait bash /.vm/command </dev/null >/run/output 2>&1
fi
status=$?

# What the command left running would keep the pipe open.
for process in /proc/[0-9]*; do
	process=${process#/proc/}
	if [ "$process" != $$ ] && [ "$process" != "${cat:-}" ]; then
		kill -9 "$process" 2>/dev/null
	fi
done
wait

dmesg >"$(port tcphs.dmesg)"
tar -C /results -cf "$(port tcphs.results)" . 2>/dev/null
echo "$(</.vm/token) $status" >"$(port tcphs.status)"
# Nothing here is worth an orderly shutdown: the disks are thrown away.
echo b >/proc/sysrq-trigger
sleep 60
