{
	__devenv_last
	__devenv_theirs
	[[ ! -r ${ZDOTDIR:-$HOME}/.zshrc ]] || \. ${ZDOTDIR:-$HOME}/.zshrc || :
	__devenv_ours
	__devenv_aliases
	__devenv_last
	if [[ ! -o login ]]; then
		__devenv_done
		if [[ -n ${DEVENV_ENTER-} ]]; then
			\. @ETC@/devenv/enter.bash
		fi
	fi
}
