# devenv: the tools of a directory's devenv.toml are on PATH while one is in it.
# Inside an environment they are there already.
if [[ ! ${DEVENV_PROJECT-} || ${DEVENV_DIFF-} ]]; then
	__devenv_hook() {
		local code=$?
		if [[ ${__devenv_dir-} != "$PWD" ]] || ! __devenv_fresh; then
			__devenv_dir=$PWD
			eval "$(@SELF@ _export bash)"
		fi
		return $code
	}
	__devenv_fresh() { false; }
	if [[ ${PROMPT_COMMAND[*]-} != *__devenv_hook* ]]; then
		PROMPT_COMMAND=__devenv_hook${PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND}
	fi
fi
