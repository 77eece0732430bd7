# What an interactive bash needs to settle, read before the user's files.
\. @ETC@/devenv/settle.sh

__devenv_settle_bash() {
	if [[ ! ${__devenv_settled-} ]]; then
		__devenv_settled=1
		__devenv_settle
		__devenv_aliases
	fi
}

# The prompt begins with the label, behind the line breaks that some themes
# begin with. The name is not written out: what stands in PS1 is expanded.
__devenv_prompt() {
	local code=$? nl= rest=${PS1-}
	__devenv_settle_bash
	if [[ $rest != *'${__devenv_label}'* ]]; then
		while :; do
			case $rest in
			$'\n'*) nl+=$'\n' rest=${rest:1} ;;
			'\n'*) nl+='\n' rest=${rest:2} ;;
			*) break ;;
			esac
		done
		PS1=$nl'${__devenv_label}'$rest
	fi
	return $code
}

# Files that set PROMPT_COMMAND set its first element. Before bash 5.1 it has
# only that one.
__devenv_command='__devenv_prompt; [[ ! ${DEVENV_ENTER-} ]] || \. "$__devenv_etc/enter.bash"'
if (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501 )); then
	PROMPT_COMMAND[7919]=$__devenv_command
else
	PROMPT_COMMAND=${PROMPT_COMMAND-}$'\n'$__devenv_command
fi

# With -c there is no prompt. Outside of all files the first command is the one
# that bash was started for.
if [[ ${BASH_EXECUTION_STRING+set} ]]; then
	trap '[[ ${BASH_SOURCE[0]-} ]] || { trap - DEBUG; __devenv_settle_bash; }' DEBUG
fi
