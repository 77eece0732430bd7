# How a shell of the POSIX family settles: bash, zsh and sh read this, and
# values.sh, before the user's own files. What is defined here is parsed here:
# no alias of the user's changes it.
__devenv_etc=@ETC@/devenv
\. "$__devenv_etc/values.sh"

if [ "${DEVENV_ENTER-}" ]; then __devenv_fixed; else __devenv_found; fi

# PATH is what it was again; of what came on it meanwhile, only what lies below
# the home directory stays, at the end.
__devenv_settle() {
	__devenv_home=${HOME-}
	__devenv_home=${__devenv_home%/}
	__devenv_home=${__devenv_home:-/dev/null}
	__devenv_new=$__devenv_path
	__devenv_rest=${PATH-}:
	while [ "$__devenv_rest" ]; do
		__devenv_dir=${__devenv_rest%%:*}
		__devenv_rest=${__devenv_rest#*:}
		case ":$__devenv_new:" in
		*":$__devenv_dir:"*) continue ;;
		esac
		case $__devenv_dir in
		@OTHERS@) __devenv_new=$__devenv_new:$__devenv_dir ;;
		esac
	done
	export PATH="$__devenv_new"
	unset __devenv_home __devenv_new __devenv_rest __devenv_dir
	__devenv_variables
}

# How an on-enter command failed.
__devenv_told() {
	__devenv_code=$?
	printf 'devenv: on-enter failed with exit code %d: %s\n' "$__devenv_code" "$1" >&2
	unset __devenv_code
}

# An on-enter command may have said set -e or set -u, as scripts do; in a shell
# that one types into they would end it.
__devenv_calm() {
	case $__devenv_flags in
	*e*) ;;
	*) set +e ;;
	esac
	case $__devenv_flags in
	*u*) ;;
	*) set +u ;;
	esac
	unset __devenv_flags
}
