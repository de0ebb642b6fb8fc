# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2119,SC2120
# What the test scripts share: KTAP output, cleanup, the module. window.sh has
# networks and witnesses. Bash; source it, `begin`, test, `finish`.
#
# A script runs as root on any test machine: cd tests && ./three_way_open.sh
# Exit: 0 all passed, 1 something failed, 4 skipped (the reason is printed).
#
#	TESTS='PATTERN...'	only the tests whose name fits a shell pattern
#	KEEP=1			keep the work directory and print its name
#	TCPHS_SLOW=N		how much longer to wait for anything (1)
#	TCPHS_COMPLETE=1	what is missing is an error, no reason to skip
#	TCPHS_KO=FILE		the module; else ../tcphs.ko, else modprobe's
#	TCPHS=FILE		the reader; else ../user/tcphs, else PATH's

TESTS_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
KSFT_SKIP=4
WORK=
SELF=$(basename "$0" .sh)

# ---------------------------------------------------------------------- KTAP

ktap_count=0
ktap_failed=0
ktap_skipped=0

comment() {
	local line
	while IFS= read -r line; do
		echo "# $line"
	done <<<"$*"
}

# pass NAME, fail NAME [WHY], skip NAME WHY: one test's result
pass() {
	ktap_count=$((ktap_count + 1))
	echo "ok $ktap_count $1"
}

fail() {
	ktap_count=$((ktap_count + 1))
	ktap_failed=$((ktap_failed + 1))
	echo "not ok $ktap_count $1"
	[ -z "${2:-}" ] || comment "$2"
}

skip() {
	ktap_count=$((ktap_count + 1))
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $ktap_count $1 # SKIP $2"
}

# relay: results that another program prints as "ok NAME", "not ok NAME", or
# "ok NAME # SKIP WHY"
relay() {
	local line
	while IFS= read -r line; do
		case "$line" in
		"ok "*" # SKIP "*)
			line=${line#ok }
			skip "${line%% # SKIP *}" "${line#* # SKIP }"
			;;
		"ok "*) pass "${line#ok }" ;;
		"not ok "*) fail "${line#not ok }" ;;
		*) echo "# $line" ;;
		esac
	done
}

# relayed COMMAND...: runs it and relays its results, of which there must be one; that it
# does not end well is a failure of its own where none of them is one
relayed() {
	local count=$ktap_count failed=$ktap_failed status=0 out
	out=$("$@" 2>&1) || status=$?
	[ -z "$out" ] || relay <<<"$out"
	if [ $status != 0 ] && [ $ktap_failed = "$failed" ]; then
		fail "$1 comes to its end" "status $status"
	elif [ $ktap_count = "$count" ]; then
		fail "$1 has a result"
	fi
}

# check NAME COMMAND...: passes if the command does; shows its output if not
check() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "${out:-$* failed}"
	fi
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got '$2', expected '$3'"
	fi
}

# contains NAME TEXT PART
contains() {
	case "$2" in
	*"$3"*) pass "$1" ;;
	*) fail "$1" "'$3' is not in: $2" ;;
	esac
}

# selected NAME: is it asked for by TESTS?
selected() {
	local pattern
	[ -n "${TESTS:-}" ] || return 0
	set -f
	for pattern in $TESTS; do
		# shellcheck disable=SC2254 # a pattern is meant
		case "$1" in
		$pattern) set +f && return 0 ;;
		esac
	done
	set +f
	return 1
}

# skip_all WHY: where every program and module is there that the tests want, one that is
# missing is an error
skip_all() {
	if [ -n "${TCPHS_COMPLETE:-}" ] && [[ "$*" =~ " on this machine"|": \`make " ]]; then
		fail "$SELF can be run" "$*"
		finish
	fi
	echo "1..0 # SKIP $*"
	exit "$KSFT_SKIP"
}

finish() {
	echo "1..$ktap_count"
	echo "# Totals: pass:$((ktap_count - ktap_failed - ktap_skipped))" \
		"fail:$ktap_failed skip:$ktap_skipped"
	[ "$ktap_failed" = 0 ] || exit 1
	[ "$ktap_count" != "$ktap_skipped" ] || exit "$KSFT_SKIP"
	exit 0
}

# ------------------------------------------------------------------- cleanup

cleanup_stack=()

# defer COMMAND...: done at the end, however it comes; the last one first
defer() {
	cleanup_stack+=("$(printf '%q ' "$@")")
}

# background FUNCTION...: and what it has started ends with it
background() {
	set -m
	"$@" &
	set +m
	defer kill -KILL -- -$!
}

# shellcheck disable=SC2317,SC2329 # called by the trap
cleanup() {
	local i
	for ((i = ${#cleanup_stack[@]} - 1; i >= 0; i--)); do
		eval "${cleanup_stack[i]}" >/dev/null 2>&1
	done
	cleanup_stack=()
}

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
	local end=$((SECONDS + $1 * ${TCPHS_SLOW:-1} + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# begin: before everything else
begin() {
	local tool
	echo "TAP version 13"
	[ "$(id -u)" = 0 ] || skip_all "$SELF needs root"
	for tool in python3 ip tc tcpdump dd stat; do
		command -v "$tool" >/dev/null || skip_all "no $tool on this machine"
	done
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/tcphs.$SELF.XXXXXX")
	if [ -n "${KEEP:-}" ]; then
		comment "work directory: $WORK"
	else
		defer rm -rf "$WORK"
	fi
	cd "$TESTS_DIR" || exit 1
	export PYTHONDONTWRITEBYTECODE=1
}

# ---------------------------------------------------------------- the module

# find_tool: sets TCPHS to the reader
find_tool() {
	local tool
	for tool in "${TCPHS:-}" "$TESTS_DIR/../user/tcphs" "$(command -v tcphs)"; do
		if [ -n "$tool" ] && [ -x "$tool" ]; then
			TCPHS=$(realpath "$tool")
			export TCPHS
			return
		fi
	done
	skip_all "no reader: \`make user\` makes user/tcphs"
}

# find_module: sets TCPHS_KO to the file; empty: modprobe finds it
find_module() {
	local file
	for file in "${TCPHS_KO:-}" "$TESTS_DIR/../tcphs.ko"; do
		if [ -n "$file" ] && [ -e "$file" ]; then
			TCPHS_KO=$(realpath "$file")
			return
		fi
	done
	TCPHS_KO=
	modinfo tcphs >/dev/null 2>&1 || module_loaded ||
		skip_all "no module: \`make module\` makes tcphs.ko"
}

module_loaded() {
	[ -e /sys/module/tcphs ]
}

# module_insert [PARAMETER=VALUE...]: just that, its error is the caller's
module_insert() {
	if [ -n "$TCPHS_KO" ]; then
		insmod "$TCPHS_KO" "$@"
	else
		modprobe tcphs "$@"
	fi
}

# module_away: no module from here on; as it was, afterwards
module_away() {
	local said
	find_module
	if module_loaded; then
		if ! said=$(rmmod tcphs 2>&1); then
			fail "the module that is loaded can be unloaded" "$said"
			finish
		fi
		defer module_insert
	fi
	defer rmmod tcphs
}

# module_load [PARAMETER=VALUE...]: the module, loaded anew with these
# parameters; as it was, afterwards
module_load() {
	local said
	module_away
	if ! said=$(module_insert "$@" 2>&1); then
		fail "the module loads" "$said"
		finish
	fi
}

# module_use: the module with its default parameters; a loaded one that has
# them stays as it is
module_use() {
	if module_loaded && [ "$(module_parameter segments)" = handshake ] &&
		grep -qx off /proc/tcphs/filter; then
		return
	fi
	module_load
}

module_parameter() {
	cat "/sys/module/tcphs/parameters/$1" 2>/dev/null
}

# kernel_quiet NAME: passes if the kernel has not complained since `begin`
kernel_mark() {
	echo "$SELF $$ begins" >/dev/kmsg
}

kernel_since() {
	dmesg | sed "1,/$SELF $$ begins/d"
}

kernel_quiet() {
	local found
	found=$(kernel_since | awk -f "$TESTS_DIR/ours.awk" | grep -E 'WARNING:|BUG:|Oops|INFO: possible|INFO: trying to register|DEBUG_LOCKS_WARN|KASAN|KCSAN|UBSAN|stall|hung task|refcount_t|scheduling while|invalid opcode|general protection')
	if [ -n "$found" ]; then
		fail "$1" "$found"
	else
		pass "$1"
	fi
}
