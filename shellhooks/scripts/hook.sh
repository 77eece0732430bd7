# devenv: the tools of a directory's devenv.toml are on PATH while one is in it.
# Inside an environment they are there already.
if [ -z "${DEVENV_PROJECT-}" ] || [ "${DEVENV_DIFF-}" ]; then
	__devenv_hook() {
		eval "$(@SELF@ _export sh)"
	}
	cd() {
		command cd "$@" || return
		__devenv_hook
		return 0
	}
	__devenv_hook
fi
