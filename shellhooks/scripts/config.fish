# The first fish of an entry runs this after the user's configuration.
functions -q __devenv_settle; or source @ETC@/devenv/settle.fish
if status is-interactive
    if set -q DEVENV_ENTER
        set -g __devenv_entering
        set -e DEVENV_ENTER
    end
    __devenv_wrap
    if set -q __devenv_entering
        set -e __devenv_entering
        source @ETC@/devenv/enter.fish # here, and not in a function, so that what it sets stays
    end
else
    __devenv_settle
end
