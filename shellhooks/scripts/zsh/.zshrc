{
	precmd_functions+=(__devenv_precmd)
	__devenv_theirs
	[[ ! -r ${ZDOTDIR:-$HOME}/.zshrc ]] || \. ${ZDOTDIR:-$HOME}/.zshrc || :
	__devenv_ours
	__devenv_aliases
	if (( ! ${precmd_functions[(Ie)__devenv_precmd]} )); then precmd_functions+=(__devenv_precmd); fi
	if [[ ! -o login ]]; then
		__devenv_done
		if [[ -n ${DEVENV_ENTER-} ]]; then
			unset DEVENV_ENTER
			\. @ETC@/devenv/enter.sh
		fi
	fi
}
