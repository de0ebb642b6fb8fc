# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A private view of the Debian archive, one for each suite, with the mirror that
# this machine's own apt uses (or MIRROR=, SECURITY_MIRROR=). It needs no root
# and never touches the machine's own package lists. Sourced, never run; brings
# common.sh along.

. "${BASH_SOURCE[0]%/*}/common.sh"

archive=$build/apt/$suite

# The URIs this machine's apt is set up with, one "URI release component" a line.
archive_configured() {
	# shellcheck disable=SC2016 # for apt, not for the shell
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null | sort -u
}

# One sources.list on stdout for $suite. With "main only" as $1, without the
# updates and security suites (an old suite may have lost them).
archive_sources() {
	local configured mirror security options=
	configured=$(archive_configured)
	mirror=${MIRROR:-$(awk '$2 !~ /security|updates|backports/ { print $1; exit }' <<<"$configured")}
	security=${SECURITY_MIRROR:-$(awk '$2 ~ /-security$/ { print $1; exit }' <<<"$configured")}
	[ -n "$mirror" ] ||
		die "apt has no Debian mirror configured; name one with MIRROR=URI"
	if [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
		options='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] '
	fi
	echo "deb $options$mirror $suite main"
	case "$suite:${1:-}" in
	sid:* | unstable:* | *-backports:* | *:"main only")
		return
		;;
	esac
	echo "deb $options$mirror $suite-updates main"
	if [ -n "$security" ]; then
		echo "deb $options$security $suite-security main"
	fi
}

# Settings of this machine's apt that decide whether and how it reaches the
# archive (proxies, retries, clock checks), as an apt.conf on stdout.
archive_settings() {
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|Check-|ForceIPv)' || true
	case "$suite" in
	sid | unstable)
		echo 'Acquire::Check-Valid-Until "false";'
		;;
	esac
}

archive_apt() {
	local command=$1
	shift
	APT_CONFIG=$archive/apt.conf "$command" "$@"
}

# archive_list ["main only"]: never half of it, which others may read.
archive_list() {
	archive_sources "$@" >"$archive/sources.list.new"
	mv "$archive/sources.list.new" "$archive/sources.list"
}

archive_update() {
	archive_apt apt-get -qq update -o APT::Update::Error-Mode=any \
		>"$archive/update.log" 2>&1
}

# archive_open: make the view ready; its lists are fetched once and again when
# they are older than a day. Others may have it open at the same time.
archive_open() {
	need apt-get vm
	locked "apt-$suite" archive_ready
}

archive_ready() {
	mkdir -p "$archive"/{lists/partial,cache/archives/partial}
	[ -e "$archive/status" ] || : >"$archive/status"
	{
		archive_settings
		echo "Dir::Etc::sourcelist \"$archive/sources.list\";"
		echo 'Dir::Etc::sourceparts "/dev/null";'
		echo 'Dir::Etc::preferencesparts "/dev/null";'
		echo "Dir::State::lists \"$archive/lists\";"
		echo "Dir::State::status \"$archive/status\";"
		echo "Dir::Cache \"$archive/cache\";"
		echo "APT::Architecture \"$arch\";"
		echo "APT::Architectures { \"$arch\"; };"
		if [ "$(id -u)" = 0 ]; then
			echo 'APT::Sandbox::User "root";'
		fi
	} >"$archive/apt.conf.new"
	mv "$archive/apt.conf.new" "$archive/apt.conf"
	if [ -e "$archive/updated" ] && [ -n "$(find "$archive/updated" -mtime -1)" ]; then
		return
	fi
	# A full disk would have apt-get wait without end.
	room 1000 "$archive"
	say "fetching the package lists of $suite"
	archive_list
	if ! archive_update; then
		archive_list "main only"
		if ! archive_update; then
			cat "$archive/update.log" >&2
			die "apt cannot get the package lists of $suite; look at the network and at SUITE=, or name a mirror with MIRROR=URI"
		fi
		say "$suite: no updates or security suite at this mirror; going on without"
	fi
	touch "$archive/updated"
}

# archive_version PACKAGE: the version that would be installed, or nothing.
archive_version() {
	archive_apt apt-cache policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# archive_pinned PACKAGE VERSION: as apt is to be asked for it; without the version
# where the archive has that one no more.
archive_pinned() {
	if archive_apt apt-cache madison "$1" | awk -F' *[|] *' -v version="$2" \
		'$2 == version { found = 1 } END { exit !found }'; then
		echo "$1=$2"
	else
		echo "$1"
	fi
}

# archive_depends PACKAGE: the packages that it depends on, one a line.
archive_depends() {
	archive_apt apt-cache show --no-all-versions "$1" |
		sed -n 's/^Depends: //p' | tr ',' '\n' | sed 's/^ *//; s/[ (|].*//'
}

# archive_fetch DIRECTORY PACKAGE...: download the .deb files into DIRECTORY.
archive_fetch() {
	local directory=$1
	shift
	mkdir -p "$directory"
	(cd "$directory" && archive_apt apt-get -qq download "$@") ||
		die "cannot download $*; try again, or remove $archive to fetch the package lists anew"
}
