# The first fish of an entry runs this after the user's configuration.
functions -q __devenv_settle; or source @ETC@/devenv/settle.fish
set -g __devenv_settled 1
__devenv_settle
if status is-interactive
    __devenv_aliases
    __devenv_wrap
    if set -q DEVENV_ENTER
        set -e DEVENV_ENTER
        source @ETC@/devenv/enter.fish
    end
end
