{
	__devenv_theirs
	[[ ! -r ${ZDOTDIR:-$HOME}/.zprofile ]] || \. ${ZDOTDIR:-$HOME}/.zprofile || :
	__devenv_ours
}
