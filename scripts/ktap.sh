# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Reads KTAP as it comes and counts. Sourced after common.sh.
#
# Two shapes come in. A program's own results:
#
#	ok 1 name
#	not ok 2 name
#
# and kselftest's runner, where such results are the inner ones, behind "# ",
# and the script's own result follows them:
#
#	# selftests: tcphs: three_way_open.sh
#	# ok 1 name
#	not ok 1 selftests: tcphs: three_way_open.sh # exit=1
#
# Counted are the inner results; a script that has none, or that failed while
# none of them did (it crashed, or its time was over), counts as one.

passed=0
failed=0
skipped=0
# Scripts of the runner that came to a result; the names of those that failed,
# and how many of their results did.
scripts_ended=0
scripts_failed=()
scripts_failures=0

# How many lines of what a failed test printed are shown, and how much of each.
ktap_tail=25
ktap_width=160

ktap_reset() {
	inner_passed=0 inner_failed=0 inner_skipped=0
	failures=() tail_lines=() in_failure='' began=$SECONDS
}

# count RESULT LINE: one result into `inner_*`.
ktap_count() {
	case "$1" in
	ok)
		case "$2" in
		*"# SKIP"*) inner_skipped=$((inner_skipped + 1)) ;;
		*) inner_passed=$((inner_passed + 1)) ;;
		esac
		;;
	*)
		inner_failed=$((inner_failed + 1))
		;;
	esac
}

# A failed result and the lines that explain it, which follow it.
ktap_remember() {
	case "$1" in
	"not ok "*)
		in_failure=$ktap_tail
		failures+=("$1")
		;;
	"ok "*)
		in_failure=
		;;
	*)
		if [ -n "$in_failure" ] && [ "$in_failure" -gt 0 ]; then
			failures+=("    ${1#\# }")
			in_failure=$((in_failure - 1))
		fi
		;;
	esac
	tail_lines+=("$1")
	if [ ${#tail_lines[@]} -gt "$ktap_tail" ]; then
		tail_lines=("${tail_lines[@]:1}")
	fi
}

# ktap_end NAME RESULT REST: a script or program has ended; print, and add up.
ktap_end() {
	local name=$1 result=$2 rest=$3 line text
	if [ "$result" = "not ok" ] && [ "$inner_failed" = 0 ]; then
		inner_failed=1
		failures=("${tail_lines[@]}")
	elif [ $((inner_passed + inner_failed + inner_skipped)) = 0 ]; then
		ktap_count "$result" "$rest"
	fi
	passed=$((passed + inner_passed))
	failed=$((failed + inner_failed))
	skipped=$((skipped + inner_skipped))
	text="$inner_passed passed"
	[ "$inner_failed" = 0 ] || text+=", $inner_failed failed"
	[ "$inner_skipped" = 0 ] || text+=", $inner_skipped skipped"
	printf '%-4s %-32s %s (%d s)%s\n' "$([ "$inner_failed" = 0 ] && echo ok || echo FAIL)" \
		"$name" "$text" $((SECONDS - began)) "${rest:+ ${rest# }}"
	if [ "$inner_failed" != 0 ]; then
		for line in ${failures[@]+"${failures[@]}"}; do
			printf '       %s\n' "${line:0:$ktap_width}"
		done
	elif [ "$inner_skipped" != 0 ]; then
		printf '       %s\n' "${tail_lines[@]}" | grep -i skip || true
	fi
	ktap_reset
}

# ktap_blocks LOCK: a runner on stdin; on stdout each script's lines in one piece, with
# the time that it took, so that several runners may write to one ktap_runner.
ktap_blocks() {
	local line block='' began=$SECONDS
	while IFS= read -r line; do
		case "$line" in
		"# selftests: "*) began=$SECONDS ;;
		"ok "*"selftests: "* | "not ok "*"selftests: "*)
			block+="# runner: took $((SECONDS - began)) s"$'\n'$line$'\n'
			(flock 9 && printf %s "$block") 9>"$1"
			block=
			continue
			;;
		esac
		block+=$line$'\n'
	done
	(flock 9 && printf %s "$block") 9>"$1"
}

# ktap_runner LOG: kselftest's runner on stdin. Keeps all of it in LOG.
ktap_runner() {
	local line name before
	ktap_reset
	while IFS= read -r line; do
		printf '%s\n' "$line" >>"$1"
		case "$line" in
		"# selftests: "*) ktap_reset ;;
		"# runner: took "*)
			line=${line#*took }
			began=$((SECONDS - ${line% s}))
			;;
		"ok "*"selftests: "* | "not ok "*"selftests: "*)
			name=${line##*: }
			scripts_ended=$((scripts_ended + 1))
			before=$failed
			case "$line" in
			ok*) ktap_end "${name%% *}" ok "${name#"${name%% *}"}" ;;
			*) ktap_end "${name%% *}" "not ok" "${name#"${name%% *}"}" ;;
			esac
			if [ "$failed" != "$before" ]; then
				scripts_failed+=("${name%% *}")
				scripts_failures=$((scripts_failures + failed - before))
			fi
			;;
		"# ok "*) ktap_count ok "$line" && ktap_remember "${line#\# }" ;;
		"# not ok "*) ktap_count "not ok" "$line" && ktap_remember "${line#\# }" ;;
		*) ktap_remember "${line#\# }" ;;
		esac
	done
}

# ktap_program NAME LOG COMMAND...: runs COMMAND, which prints its own results.
ktap_program() {
	local name=$1 log=$2 line status=0
	shift 2
	ktap_reset
	: >"$log"
	while IFS= read -r line; do
		case "$line" in
		"status "*) status=${line#status } && continue ;;
		"ok "*) ktap_count ok "$line" ;;
		"not ok "*) ktap_count "not ok" "$line" ;;
		esac
		printf '%s\n' "$line" >>"$log"
		ktap_remember "$line"
	done < <("$@" 2>&1 && echo "status 0" || echo "status $?")
	if [ "$status" = 0 ]; then
		ktap_end "$name" ok ""
	else
		ktap_end "$name" "not ok" "# exit=$status"
	fi
}
