# SPDX-License-Identifier: Apache-2.0
# Completion for bash: what may come next is asked of the command itself (analyzer/complete.h).
_ttitrace() {
	local -a words=() found=()
	local word part glue='' candidate

	# bash splits at = and : too; a value is completed behind the last of them.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if [[ ${#words[@]} -gt 0 && ( -n $glue || $word == [=:] ) ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		[[ $word == [=:] ]] && glue=1 || glue=''
	done
	[[ $word == [=:] ]] && part='' || part=$word
	part=${part#[\"\']}

	while IFS=$'\t' read -r candidate _; do
		case $candidate in
		:traces) mapfile -t -O "${#found[@]}" found < <(compgen -f -X '!*.ttt' -- "$part"; compgen -d -- "$part") ;;
		:files) mapfile -t -O "${#found[@]}" found < <(compgen -f -- "$part") ;;
		:programs) mapfile -t -O "${#found[@]}" found < <(compgen -c -- "$part"; compgen -f -- "$part") ;;
		*) found+=("$candidate") && continue ;;
		esac
		compopt -o filenames 2>/dev/null
	done < <("${1/#\~/$HOME}" --complete "${words[@]}" 2>/dev/null)
	COMPREPLY=("${found[@]}")
	[[ ${#found[@]} -eq 1 && ${found[0]} == *[=:] ]] && compopt -o nospace 2>/dev/null
	return 0
}
complete -F _ttitrace ttitrace
