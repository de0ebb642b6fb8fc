# SPDX-License-Identifier: GPL-2.0
# bash completion for tcphs. Commands and options come from `tcphs --help`, so
# that they are those of the program that is installed.

_tcphs_commands() {
	"$1" --help 2>/dev/null | awk '
		/^Commands:/ { on = 1; next }
		!NF { on = 0 }
		on { print $1 }'
}

# Long and short options; those of one command when it is given.
_tcphs_options() {
	local tcphs=$1
	shift
	"$tcphs" "$@" --help 2>/dev/null | awk '
		/^Options:/ { on = 1; next }
		!NF { on = 0 }
		on && /^ *-/ {
			for (i = 1; i <= NF && $i ~ /^-/; i++) {
				word = $i
				sub(/,$/, "", word)
				value = sub(/=.*/, "", word)
				print word (value && word ~ /^--/ ? "=" : "")
			}
		}'
}

_tcphs_words() {
	local IFS=$' \t\n'
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_tcphs_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_tcphs() {
	local cur prev command='' word i line value
	local tcphs=${COMP_WORDS[0]}
	local keys="start open close handshake duration bytes retransmits client server"
	local -a words

	# "--color=always" as one word, whatever COMP_WORDBREAKS says.
	line=${COMP_LINE:0:COMP_POINT}
	read -r -a words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=('')
	cur=${words[${#words[@]} - 1]}
	prev=''
	((${#words[@]} > 1)) && prev=${words[${#words[@]} - 2]}
	COMPREPLY=()

	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		word=${words[i]}
		case $word in
		-r | -o | -n | -d | --read | --output | --count | --duration | --netns | --color | --sort)
			((i++))
			;;
		-*) ;;
		*)
			command=$word
			break
			;;
		esac
	done

	value=$cur
	case $prev in
	-r | -o | --read | --output)
		_tcphs_files "$cur"
		return
		;;
	--color)
		_tcphs_words 'auto always never' "$cur"
		return
		;;
	--sort)
		_tcphs_words "$keys" "$cur"
		return
		;;
	--netns)
		_tcphs_words "$(_tcphs_netns)" "$cur"
		return
		;;
	-n | -d | --count | --duration) return ;;
	esac
	case $cur in
	--color=* | --sort=* | --read=* | --output=* | --netns=*)
		value=${cur#*=}
		case $cur in
		--color=*) _tcphs_words 'auto always never' "$value" ;;
		--sort=*) _tcphs_words "$keys" "$value" ;;
		--netns=*) _tcphs_words "$(_tcphs_netns)" "$value" ;;
		*) _tcphs_files "$value" ;;
		esac
		# bash replaces what stands after the last break, which may be "=".
		if [[ $COMP_WORDBREAKS != *=* ]]; then
			COMPREPLY=("${COMPREPLY[@]/#/${cur%%=*}=}")
		fi
		return
		;;
	-*)
		_tcphs_words "$(_tcphs_options "$tcphs" ${command:+"$command"})" "$cur"
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
		return
		;;
	esac

	case $command in
	'') _tcphs_words "$(_tcphs_commands "$tcphs")" "$cur" ;;
	record | stats) ;;
	*)
		# pcap-filter(7), as far as it makes sense on addresses and ports.
		_tcphs_words 'and or not host net port portrange src dst ip ip6 tcp' "$cur"
		;;
	esac
}

# This shell's network namespace and those with names.
_tcphs_netns() {
	stat -Lc %i /proc/self/ns/net /run/netns/* 2>/dev/null
}

complete -F _tcphs tcphs
