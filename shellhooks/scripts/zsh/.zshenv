# Every zsh reads this. It, and the files beside it, read the user's with ZDOTDIR
# as the user has it, at the top level, and settle after each: a script reads
# this one alone. The braces have all of it parsed before an alias is defined.
\. @ETC@/devenv/settle.sh

__devenv_theirs() { # gives ZDOTDIR back
	if (( ${+DEVENV_USER_ZDOTDIR} )); then ZDOTDIR=$DEVENV_USER_ZDOTDIR; else unset ZDOTDIR; fi
}

__devenv_ours() { # the next file is read from here again
	emulate -L zsh
	if (( ${+ZDOTDIR} )); then typeset -g DEVENV_USER_ZDOTDIR=$ZDOTDIR; else unset DEVENV_USER_ZDOTDIR; fi
	typeset -g ZDOTDIR=@ETC@/devenv/zsh
	__devenv_settle
}

__devenv_last() { # of all that is done before a prompt
	emulate -L zsh
	if [[ ${precmd_functions[-1]-} != __devenv_precmd ]]; then
		typeset -ga precmd_functions
		precmd_functions=(${precmd_functions:#__devenv_precmd} __devenv_precmd)
	fi
}

__devenv_done() { # no more files are read
	emulate -L zsh
	if [[ ${ZDOTDIR-} == @ETC@/devenv/zsh ]]; then __devenv_theirs; fi
	unset DEVENV_USER_ZDOTDIR
	__devenv_settle
}

# The prompt begins with the label: an element of psvar, which is shown as it is.
# Themes that set the prompt anew each time are found out here, last of all.
__devenv_precmd() {
	local code=$?
	emulate -L zsh
	if (( ! ${+__devenv_settled} )); then
		typeset -g __devenv_settled=1
		__devenv_done
		__devenv_aliases
	fi
	psvar[97]=$__devenv_label
	if [[ ${PROMPT-} != *%97v* ]]; then
		local nl=${PROMPT%%[^$'\n']*}
		PROMPT=$nl%97v${PROMPT#$nl}
	fi
	__devenv_last
	return $code
}

{
	__devenv_theirs
	[[ ! -r ${ZDOTDIR:-$HOME}/.zshenv ]] || \. ${ZDOTDIR:-$HOME}/.zshenv || :
	__devenv_ours
	if [[ ! -o rcs || ! ( -o interactive || -o login ) ]]; then __devenv_done; fi
}
