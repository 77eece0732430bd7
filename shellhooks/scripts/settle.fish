# How fish settles: read before the user's configuration, or, in the first shell
# of an entry, after it.
source @ETC@/devenv/values.fish

if set -q DEVENV_ENTER
    __devenv_fixed
else
    __devenv_found
end

# PATH is what it was again; of what came on it meanwhile, only what lies below
# the home directory stays, at the end.
function __devenv_settle
    set -l new $__devenv_path
    set -l home (string trim --right --chars / -- $HOME)/
    for dir in $PATH
        contains -- $dir $new; and continue
        if test @OTHERS@ = all
            set -a new $dir
        else if test $home != / -a (string sub --length (string length -- $home) -- $dir) = $home
            set -a new $dir
        end
    end
    set -gx PATH $new
    __devenv_variables
end

function __devenv_told
    set -l code $status
    echo "devenv: on-enter failed with exit code $code: $argv[1]" >&2
end

# The prompt begins with the label, behind the line breaks that some themes begin
# with. The theme's own function is kept under another name; if another is
# defined later, that one is wrapped.
function __devenv_wrap --on-event fish_prompt
    if not set -q __devenv_settled
        set -g __devenv_settled 1
        functions -e __devenv_guard
        __devenv_settle
        __devenv_aliases
    end
    # A start-up file of another shell may have handed the entry on. What is set
    # here stays only if it is set with a scope.
    set -q DEVENV_ENTER; and not set -q __devenv_at_top; and source @ETC@/devenv/enter.fish
    functions fish_prompt | string match --quiet '*__devenv_theme*'; and return
    functions -e __devenv_theme
    functions -c fish_prompt __devenv_theme
    function fish_prompt
        set -l lines (__devenv_theme)
        while test (count $lines) -gt 1 -a -z "$lines[1]"
            echo
            set -e lines[1]
        end
        printf %s $__devenv_label
        string join \n -- $lines
    end
end
