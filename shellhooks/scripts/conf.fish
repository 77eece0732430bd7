# Every fish reads this before the user's configuration.
source @ETC@/devenv/settle.fish

# Not every fish that reads it comes to a prompt: a script's does not.
function __devenv_guard --on-variable PATH
    if string match --quiet "*$__fish_config_dir/*" (status stack-trace)
        __devenv_settle
    end
end
