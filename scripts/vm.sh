#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs a command on a test kernel in a virtual machine.
#
# usage:
#	scripts/vm.sh run [OPTION...] -- COMMAND [ARGUMENT...]
#	scripts/vm.sh shell [OPTION...]
#
# One COMMAND word is taken as a shell command line; several are run as they
# are. The guest has the project (without build/ and .git) in /tcphs, its working
# directory; the command is root there, and all is thrown away at the end but
# what it left in /results. There is no network but the guest's own.
#
#	--smp N		CPUs (2)
#	--mem MB	memory (1024)
#	--timeout S	give up after S seconds (run: 600)
#	--append WORDS	for the kernel's command line
#	--add DIR=PATH	put a copy of DIR at PATH in the guest; may be repeated
#	--name NAME	keep console.log, dmesg.log and results/ in build/vm/NAME
#	--verbose	show the kernel's messages on stderr as they come
#
# SUITE= FLAVOUR= KERNEL= KMODULES= choose the kernel: see scripts/kernel.sh.
# ACCEL= is kvm or tcg, probed when not set; or icount: guest time counts guest
# instructions, 2^SHIFT= ns each (1 ns when not set), those of all CPUs, which take
# turns; the same on every machine.
# QEMU_EXTRA= is handed to QEMU as it is.
#
# Exit status: the command's, if the guest said so itself and the kernel did not
# complain. 124: the time was over. 125: the VM failed, or the kernel panicked or
# logged a warning, BUG, lockdep, KASAN, RCU or hung-task report (shown).

. "$(dirname "$0")/common.sh"

smp=2 mem=1024 timeout=600 append='' name='' verbose='' add=()
run='' keep='' qemu='' judged=''

options() {
	mode=${1:-}
	case "$mode" in
	run | shell) shift ;;
	*) usage 125 ;;
	esac
	while [ $# -gt 0 ]; do
		case "$1" in
		--verbose) verbose=1 ;;
		--)
			shift
			break
			;;
		--smp | --mem | --timeout | --append | --name | --add)
			[ $# -ge 2 ] || usage 125
			case "$1" in
			--add) add+=("$2") ;;
			*) printf -v "${1#--}" %s "$2" ;;
			esac
			shift
			;;
		*) usage 125 ;;
		esac
		shift
	done
	words=("$@")
	if [ "$mode" = run ] && [ $# = 0 ]; then
		usage 125
	fi
}

# shellcheck disable=SC2317 # called by the trap
finish() {
	local status=$?
	if [ -n "$qemu" ]; then
		kill "$qemu" 2>/dev/null || true
	fi
	if [ -n "$run" ] && [ -z "$keep" ]; then
		rm -rf "$run"
	fi
	# A failure on the way to the run must not look like the command's.
	if [ -z "$judged" ] && [ "$status" -lt 124 ]; then
		exit 125
	fi
}

# The run's own directory: two runs at the same time share nothing.
make_directory() {
	mkdir -p "$build/vm"
	if [ -n "$name" ]; then
		mkdir -p "$build/lock"
		exec {lock}>"$build/lock/vm-$name"
		flock -n "$lock" || die "a run with the name $name is going on"
		run=$build/vm/$name
		keep=1
		rm -rf "$run"
		mkdir -p "$run"
	else
		run=$(mktemp -d "$build/vm/run.XXXXXX")
	fi
	touch "$run"/{console.log,dmesg.log,results.tar,status,qemu.log}
	mkdir "$run/results"
}

job_tar() {
	tar -f "$run/job.tar" --owner=0 --group=0 --warning=no-file-changed "$@" ||
		[ $? = 1 ] # 1: a file changed meanwhile
}

# What the guest is given: its script, the command, the project, what --add
# names; one tar, as a disk.
make_job() {
	local job=$run/job item
	mkdir -p "$job/.vm"
	echo "$token" >"$job/.vm/token"
	cp "$top/scripts/vm-guest.sh" "$job/.vm/guest.sh"
	if [ "$mode" = shell ]; then
		echo "${TERM:-linux} $(stty size 2>/dev/null || echo 24 80)" >"$job/.vm/terminal"
	elif [ ${#words[@]} = 1 ]; then
		printf '%s\n' "${words[0]}" >"$job/.vm/command"
	else
		printf '%q ' "${words[@]}" >"$job/.vm/command"
	fi
	job_tar -c -C "$job" .vm
	job_tar -r -C "$top" --exclude=./build --exclude=./.git --exclude='*.o' \
		--exclude='*.cmd' --transform 's,^\.,tcphs,' .
	for item in ${add[@]+"${add[@]}"}; do
		[ -d "${item%%=*}" ] || die "--add $item: no such directory"
		job_tar -r -C "${item%%=*}" --transform "s,^\\.,.${item#*=}," .
	done
	rm -rf "$job"
}

# disk NAME FILE OPTION: QEMU's words for a disk that the guest finds by NAME.
disk() {
	command+=(-drive "file=$2,if=none,id=$1,format=raw,$3"
		-device "virtio-blk-pci,drive=$1,serial=$1")
}

make_command() {
	local kernel root port line emulator clock=''
	kernel=$("$top/scripts/kernel.sh" image)
	root=$("$top/scripts/rootfs.sh")
	case "${ACCEL:-$("$top/scripts/accel.sh" "$kernel")}" in
	kvm) command=(-accel kvm -cpu host) ;;
	icount) command=(-accel "tcg,thread=single" -icount "shift=${SHIFT:-0},sleep=off" -cpu max) ;;
	*)
		command=(-accel "tcg,thread=multi" -cpu max)
		# An emulated CPU's TSC is the host's, but Linux finds those of two unlike
		# and turns to the HPET: each look at the clock would leave the CPU and
		# wait for QEMU's one lock.
		clock=" tsc=reliable"
		;;
	esac
	line="console=ttyS0 loglevel=7 log_buf_len=4M printk.devkmsg=on$clock"
	line+=" panic=-1 oops=panic mitigations=off net.ifnames=0 cryptomgr.notests"
	# A panic reboots at once, and -no-reboot makes that the end of QEMU.
	readarray -t emulator < <("$top/scripts/qemu.sh")
	command=("${emulator[@]}" "${command[@]}" -M pc -smp "$smp" -m "$mem"
		-nodefaults -no-user-config -display none -no-reboot
		-kernel "$kernel/vmlinuz" -initrd "$kernel/initramfs.gz"
		-append "$line $append"
		-serial "file:$run/console.log"
		-device virtio-serial-pci -chardev "stdio,id=out,signal=off")
	disk root "$root" snapshot=on
	disk job "$run/job.tar" readonly=on
	if [ -e "$kernel/modules.ext4" ]; then
		disk modules "$kernel/modules.ext4" readonly=on
	fi
	if [ "$mode" = shell ]; then
		command+=(-device "virtconsole,chardev=out")
	else
		command+=(-device "virtserialport,chardev=out,name=tcphs.out")
	fi
	for port in dmesg.log results.tar status; do
		command+=(-chardev "file,id=$port,path=$run/$port"
			-device "virtserialport,chardev=$port,name=tcphs.${port%.*}")
	done
	# shellcheck disable=SC2206 # meant to be split
	command+=(${QEMU_EXTRA:-})
}

# Sets `ended` to what became of QEMU.
run_qemu() {
	ended=0
	if [ -n "$verbose" ]; then
		tail -f --pid=$$ "$run/console.log" >&2 &
	fi
	# Its snapshot of the root's disk goes there too.
	export TMPDIR=$run
	if [ "$mode" = shell ]; then
		say "the project is in /tcphs; exit leaves"
		"${command[@]}" 2>"$run/qemu.log" || ended=$?
		return
	fi
	# The end of QEMU's input would unplug the guest's output: give it an input
	# that stays open. In the background, so that an interrupt arrives at once.
	mkfifo "$run/input"
	timeout --foreground -k 5 "$timeout" "${command[@]}" <>"$run/input" 2>"$run/qemu.log" &
	qemu=$!
	wait "$qemu" || ended=$?
	qemu=
	rm -f "$run/input"
}

# void STATUS REASON: the run does not count, whatever the command returned.
void() {
	keep=1
	say "$2; the logs are in ${run#"$top"/}"
	exit "$1"
}

# Ends with the command's status, if the run counts.
judge() {
	local said='' status='' complaints
	judged=1
	tar -C "$run/results" --no-same-owner -xf "$run/results.tar" 2>/dev/null || true
	rm -f "$run"/{results,job}.tar
	if ! complaints=$("$top/scripts/vmlog.sh" "$run/console.log" "$run/dmesg.log"); then
		printf '%s\n' "$complaints" >&2
		void 125 "the kernel complained"
	fi
	if [ "$ended" = 124 ] || [ "$ended" = 137 ]; then
		tail -n 20 "$run/console.log" >&2
		void 124 "no end after $timeout s"
	fi
	read -r said status <"$run/status" || true
	if [ "$said" != "$token" ]; then
		cat "$run/qemu.log" >&2
		tail -n 40 "$run/console.log" >&2
		void 125 "the guest ended without saying how"
	fi
	exit "$status"
}

options "$@"
need qemu-system-x86_64 vm
trap 'exit 130' INT
trap 'exit 143' TERM
trap finish EXIT
token=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
make_directory
make_job
make_command
run_qemu
judge
