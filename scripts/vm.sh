#!/bin/bash
# Runs a command on a test kernel in a virtual machine.
#
#	scripts/vm.sh run [OPTION...] -- COMMAND [ARGUMENT...]
#	scripts/vm.sh shell [OPTION...]
#
# One COMMAND word is taken as a shell command line; several are run as they
# are. The guest has the project (without build/ and .git) in /tcphs, its working
# directory, is root, and loses everything at the end but what the command left
# in /results. It has no network but its own lo.
#
#	--smp N		CPUs (2)
#	--mem MB	memory (1024)
#	--timeout S	give up after S seconds (600; shell: never)
#	--append WORDS	for the kernel's command line
#	--add DIR=PATH	put a copy of DIR at PATH in the guest; may be repeated
#	--name NAME	keep console.log, dmesg.log and results/ in build/vm/NAME
#	--verbose	show the kernel's messages on stderr
#
# KERNEL=FILE runs another kernel image; KMODULES=TREE holds its modules in
# TREE/lib/modules. SUITE= and FLAVOUR= choose another of Debian's. ACCEL=kvm or
# tcg is probed when not set. QEMU_EXTRA= is handed to QEMU as it is.
#
# Exit status: the command's, if the guest said so itself and the kernel did not
# complain. 124: the time was over. 125: the VM failed, or the kernel panicked or
# logged a warning, BUG, lockdep, KASAN, RCU or hung-task report (shown).
. "$(dirname "$0")/common.sh"

usage() {
	sed -n '/^#\t*scripts/,/^$/p' "$0" | sed '/^\./,$d; s/^#\t\{0,1\}//; s/^# //' >&2
	exit 125
}

trap 'exit 130' INT
trap 'exit 143' TERM
qemu=
run=
keep=
finish() {
	if [ -n "$qemu" ]; then
		kill "$qemu" 2>/dev/null || true
	fi
	if [ -n "$run" ] && [ -z "$keep" ]; then
		rm -rf "$run"
	fi
}
trap finish EXIT

mode=${1:-}
case "$mode" in
run | shell) shift ;;
*) usage ;;
esac

smp=2 mem=1024 timeout=600 append='' name='' verbose='' add=()
while [ $# -gt 0 ]; do
	case "$1" in
	--smp) smp=$2 && shift ;;
	--mem) mem=$2 && shift ;;
	--timeout) timeout=$2 && shift ;;
	--append) append=$2 && shift ;;
	--add) add+=("$2") && shift ;;
	--name) name=$2 && shift ;;
	--verbose) verbose=1 ;;
	--) shift && break ;;
	*) usage ;;
	esac
	shift
done
if [ "$mode" = run ]; then
	[ $# -gt 0 ] || usage
fi

need qemu-system-x86_64 vm
root=$("$top/scripts/rootfs.sh")

# The kernel, its initramfs, and its modules as a disk of their own.
if [ -n "${KERNEL:-}" ]; then
	. "$top/scripts/kernel-own.sh"
else
	kernel_directory=$("$top/scripts/kernel.sh" image)
	kernel=$kernel_directory/vmlinuz
	initramfs=$kernel_directory/initramfs.gz
	modules=$kernel_directory/modules.ext4
fi

# The run's own directory: two runs at the same time share nothing.
mkdir -p "$build/vm"
if [ -n "$name" ]; then
	run=$build/vm/$name
	keep=1
	rm -rf "$run"
	mkdir -p "$run"
else
	run=$(mktemp -d "$build/vm/run.XXXXXX")
fi

token=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')

# The job: the project, what --add names, and the command.
make_job() {
	local job=$run/job item
	mkdir -p "$job/.vm"
	echo "$token" >"$job/.vm/token"
	cp "$top/scripts/vm-guest.sh" "$job/.vm/guest.sh"
	if [ "$mode" = shell ]; then
		echo "${TERM:-linux} $(stty size 2>/dev/null || echo 24 80)" >"$job/.vm/terminal"
	elif [ $# = 1 ]; then
		printf '%s\n' "$1" >"$job/.vm/command"
	else
		printf '%q ' "$@" >"$job/.vm/command"
	fi
	tar -cf "$run/job.tar" --owner=0 --group=0 -C "$job" .vm
	tar -rf "$run/job.tar" --owner=0 --group=0 -C "$top" --exclude=./build --exclude=./.git \
		--transform 's,^\.,tcphs,' --warning=no-file-changed . || [ $? = 1 ]
	for item in ${add[@]+"${add[@]}"}; do
		tar -rf "$run/job.tar" --owner=0 --group=0 -C "${item%%=*}" \
			--transform "s,^\\.,.${item#*=}," .
	done
	rm -rf "$job"
}
make_job "$@"

if [ -z "${ACCEL:-}" ]; then
	ACCEL=$("$top/scripts/accel.sh" "$kernel" "$initramfs")
fi
case "$ACCEL" in
kvm) machine=(-accel kvm -cpu host) ;;
*) machine=(-accel "tcg,thread=multi" -cpu max) ;;
esac

if [ "$mode" = shell ]; then
	console=(-chardev "stdio,id=out,signal=off" -device "virtconsole,chardev=out")
	say "the project is in /tcphs; leave with exit"
else
	console=(-chardev "stdio,id=out,signal=off" -device "virtserialport,chardev=out,name=tcphs.out")
fi

# A panic reboots at once, and -no-reboot makes that an end of QEMU.
command=(qemu-system-x86_64 "${machine[@]}" -M pc -smp "$smp" -m "$mem"
	-nodefaults -no-user-config -display none -no-reboot
	-kernel "$kernel" -initrd "$initramfs"
	-append "console=ttyS0 loglevel=7 panic=-1 oops=panic log_buf_len=4M printk.devkmsg=on mitigations=off net.ifnames=0 $append"
	-drive "file=$root,if=none,id=root,format=raw,snapshot=on"
	-device "virtio-blk-pci,drive=root,serial=root"
	-drive "file=$run/job.tar,if=none,id=job,format=raw,readonly=on"
	-device "virtio-blk-pci,drive=job,serial=job"
	-serial "file:$run/console.log"
	-device virtio-serial-pci "${console[@]}")
if [ -n "$modules" ]; then
	command+=(-drive "file=$modules,if=none,id=modules,format=raw,readonly=on"
		-device "virtio-blk-pci,drive=modules,serial=modules")
fi
for port in dmesg results status; do
	command+=(-chardev "file,id=$port,path=$run/$port"
		-device "virtserialport,chardev=$port,name=tcphs.$port")
done
# shellcheck disable=SC2206 # meant to be split
command+=(${QEMU_EXTRA:-})

: >"$run/console.log"
if [ -n "$verbose" ]; then
	tail -f --pid=$$ "$run/console.log" >&2 &
fi
export TMPDIR=$run
if [ "$mode" = shell ]; then
	"${command[@]}" || die "QEMU failed"
	timed_out=
else
	# The end of QEMU's input would unplug the guest's output port: give it one
	# that stays open. In the background, so that an interrupt arrives at once.
	mkfifo "$run/input"
	timeout --foreground -k 5 "$timeout" "${command[@]}" <>"$run/input" 2>"$run/qemu.log" &
	qemu=$!
	ended=0
	wait "$qemu" || ended=$?
	qemu=
	timed_out=
	if [ "$ended" = 124 ] || [ "$ended" = 137 ]; then
		timed_out=1
	fi
fi

# What the guest left.
mv "$run/results" "$run/results.tar"
mkdir -p "$run/results"
tar -C "$run/results" --no-same-owner -xf "$run/results.tar" 2>/dev/null || true
mv "$run/dmesg" "$run/dmesg.log"
status=
if read -r said number <"$run/status" && [ "$said" = "$token" ]; then
	status=$number
fi

# fail STATUS REASON: the run is void, whatever the command returned.
fail() {
	keep=1
	say "$2; the logs are in ${run#"$top"/}"
	exit "$1"
}

if ! complaints=$("$top/scripts/vmlog.sh" "$run/console.log" "$run/dmesg.log"); then
	printf '%s\n' "$complaints" >&2
	fail 125 "the kernel complained"
fi
if [ -n "$timed_out" ]; then
	tail -n 20 "$run/console.log" >&2
	fail 124 "no end after $timeout s"
fi
if [ -z "$status" ]; then
	cat "$run/qemu.log" >&2 2>/dev/null || true
	tail -n 40 "$run/console.log" >&2
	fail 125 "the guest ended without saying how"
fi
exit "$status"
