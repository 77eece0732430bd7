# devenv: the tools of a directory's devenv.toml are on PATH while one is in it.
# Inside an environment they are there already.
if [[ -z ${DEVENV_PROJECT-} || -n ${DEVENV_DIFF-} ]]; then
	__devenv_hook() {
		local code=$?
		emulate -L zsh
		if [[ ${__devenv_dir-} != $PWD ]] || ! __devenv_fresh; then
			typeset -g __devenv_dir=$PWD
			eval "$(@SELF@ _export zsh)"
		fi
		return $code
	}
	__devenv_fresh() { false; }
	() {
		emulate -L zsh
		typeset -ga precmd_functions chpwd_functions
		(( ${precmd_functions[(Ie)__devenv_hook]} )) || precmd_functions=(__devenv_hook $precmd_functions)
		(( ${chpwd_functions[(Ie)__devenv_hook]} )) || chpwd_functions=(__devenv_hook $chpwd_functions)
	}
fi
