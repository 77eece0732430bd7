# The first fish of an entry runs this after the user's configuration.
functions -q __devenv_settle; or source @ETC@/devenv/settle.fish
if status is-interactive
    set -g __devenv_at_top
    __devenv_wrap
    set -e __devenv_at_top
    set -q DEVENV_ENTER; and source @ETC@/devenv/enter.fish
else
    __devenv_settle
end
