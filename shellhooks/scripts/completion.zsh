#compdef devenv
# zsh completion for devenv

_devenv() {
	local -a answer candidates
	local line self=${(Q)words[1]} n
	(( $+commands[$self] )) || [[ -x $self ]] || self=devenv
	answer=("${(@f)$($self _complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2> /dev/null)}")
	case ${answer[1]} in
	words)
		for line in "${(@)answer[2,-1]}"; do
			candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
		done
		_describe -t values devenv candidates
		;;
	files) _files ;;
	directories) _files -/ ;;
	command\ *)
		n=$(( ${answer[1]#command } + 1 ))
		shift $n words
		(( CURRENT -= n ))
		_normal
		;;
	esac
}

# This is either a function of fpath or was evaluated.
if [[ ${funcstack[1]-} == _devenv ]]; then
	_devenv "$@"
else
	compdef _devenv devenv
fi
