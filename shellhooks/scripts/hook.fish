# devenv: the tools of a directory's devenv.toml are on PATH while one is in it.
# Inside an environment they are there already.
if test -z "$DEVENV_PROJECT"; or test -n "$DEVENV_DIFF"
    function __devenv_hook --on-event fish_prompt --on-variable PWD
        if test "$__devenv_dir" != "$PWD"; or not __devenv_fresh
            set -g __devenv_dir $PWD
            @SELF@ _export fish | source
        end
    end
    function __devenv_fresh
        false
    end
end
