
# devenv: shells that are started inside settle at their first prompt, when the
# user's own files have run.
[[ $- != *i* ]] || . @ETC@/devenv/bash.sh
