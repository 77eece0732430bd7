# Every fish reads this before the user's configuration.
source @ETC@/devenv/settle.fish

# Not every fish that reads it comes to a prompt: a script's does not.
function __devenv_guard --on-variable PATH
    set -l trace (status stack-trace | string collect)
    for dir in $__fish_config_dir (string replace -- $HOME '~' $__fish_config_dir)
        if string match --quiet -- "*$dir/*" $trace
            __devenv_settle
        end
    end
end
