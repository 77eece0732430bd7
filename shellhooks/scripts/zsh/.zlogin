{
	__devenv_theirs
	[[ ! -r ${ZDOTDIR:-$HOME}/.zlogin ]] || \. ${ZDOTDIR:-$HOME}/.zlogin || :
	__devenv_done
	if [[ -o interactive && -n ${DEVENV_ENTER-} ]]; then
		\. @ETC@/devenv/enter.bash
	fi
}
