#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the shells offer to complete, for the program that was built.
#
# usage: completion.sh DIRECTORY-OF-PROGRAMS

out=$(cd "$1" && pwd) || exit 2
completion=$(cd ../../user/completion && pwd) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
PATH=$out:$PATH
status=0

# shellcheck source=../../user/completion/tcphs.bash
. "$completion/tcphs.bash"
touch "$work/web.tcphs" "$work/two words.tcphs"
cd "$work" || exit 2

# offers LINE WORD...: all that is offered, in the order of sort
offers() {
	local line=$1 got want
	shift
	COMP_LINE=$line
	COMP_POINT=${#line}
	read -r -a COMP_WORDS <<<"$line"
	[[ $line == *' ' ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_tcphs
	got=$(printf '%s\n' "${COMPREPLY[@]}" | sort)
	want=$(printf '%s\n' "$@" | sort)
	if [ "$got" = "$want" ]; then
		echo "ok bash completes \"$line\""
	else
		echo "not ok bash completes \"$line\""
		printf '# got %s\n' "${got//$'\n'/ }" "(expected ${want//$'\n'/ })"
		status=1
	fi
}

mapfile -t commands < <(tcphs --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
offers 'tcphs ' "${commands[@]}"
offers 'tcphs ti' timeline
offers 'tcphs -r x rec' record
offers 'tcphs --color=' auto always never
offers 'tcphs --color=al' always
offers 'tcphs --color n' never
offers 'tcphs list --sort=b' bytes
offers 'tcphs list --sort cl' client close
offers 'tcphs list --js' --json
offers 'tcphs list --out'
offers 'tcphs record --out' --output=
offers 'tcphs timeline --exp' --explain
offers 'tcphs -r we' web.tcphs
offers 'tcphs --read=tw' 'two words.tcphs'
offers 'tcphs record -o ' web.tcphs 'two words.tcphs'
offers 'tcphs list po' port portrange
offers 'tcphs list port 80 an' and
offers 'tcphs record ho'
offers 'tcphs -n '
mapfile -t ids < <(stat -Lc %i /proc/self/ns/net /run/netns/* 2>/dev/null)
offers 'tcphs --netns=' "${ids[@]}"

# Every option that the program parses is completed by zsh too.
missing=
for option in $(tcphs --help | sed -n '/^Options:/,/^$/s/^ *\(-[^ =]*\).*/\1/p' | tr -d ,) \
	$(tcphs --help | grep -o -- '--[a-z]*' | sort -u); do
	case $option in
	-tt*) continue ;;
	esac
	grep -q -e "[{,'(]${option}[],=['} )]" "$completion/_tcphs" || missing="$missing $option"
done
if [ -z "$missing" ]; then
	echo "ok zsh knows every option"
else
	echo "not ok zsh knows every option"
	echo "# missing:$missing"
	status=1
fi
if command -v zsh >/dev/null; then
	if zsh -n "$completion/_tcphs"; then
		echo "ok zsh reads its completion"
	else
		echo "not ok zsh reads its completion"
		status=1
	fi
else
	echo "ok zsh reads its completion # SKIP zsh is not installed"
fi
exit $status
