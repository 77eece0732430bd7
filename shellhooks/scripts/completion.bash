# bash completion for devenv
_devenv() {
	# bash splits words also at "=" and ":"; what no blank separates belongs
	# together. at[i] is where words[i] begins in COMP_WORDS.
	local rest=${COMP_LINE:0:COMP_POINT} w i words=() at=()
	for (( i = 0; i <= COMP_CWORD; i++ )); do
		w=${COMP_WORDS[i]}
		if (( i > 0 )) && [[ $rest == "$w"* && $rest != [[:blank:]]* && ${words[*]} ]]; then
			words[${#words[@]} - 1]+=$w
		else
			words+=("$w") at+=("$i")
		fi
		rest=${rest#"${rest%%[![:blank:]]*}"}
		rest=${rest#"$w"}
	done
	local self=${words[0]} cur=${words[${#words[@]} - 1]} answer
	type -P "$self" > /dev/null || self=devenv
	mapfile -t answer < <("$self" _complete "${words[@]:1}" 2> /dev/null)
	COMPREPLY=()
	case ${answer[0]-} in
	words)
		local known=${cur%"${cur##*[=:]}"}
		for w in "${answer[@]:1}"; do
			w=${w%%$'\t'*}
			COMPREPLY+=("${w#"$known"}")
		done
		;;
	files) compopt -o default ;;
	directories) compopt -o dirnames ;;
	command\ *)
		i=${at[${answer[0]#command } + 1]}
		if declare -F _comp_command_offset > /dev/null; then
			_comp_command_offset "$i"
		elif declare -F _command_offset > /dev/null; then
			_command_offset "$i"
		else
			compopt -o default
		fi
		;;
	esac
}
complete -F _devenv devenv
