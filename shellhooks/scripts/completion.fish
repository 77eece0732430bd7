# fish completion for devenv
function __devenv_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l self $words[1]
    command -q $self; or set self devenv
    set -l answer (command $self _complete $words[2..-1] "$current" 2>/dev/null)
    switch "$answer[1]"
        case words
            printf '%s\n' $answer[2..-1]
        case files
            __fish_complete_path $current
        case directories
            __fish_complete_directories $current
        case 'command *'
            set -l first (math (string replace 'command ' '' -- $answer[1]) + 2)
            complete --do-complete (string join ' ' -- (string escape -- $words[$first..-1]) $current)
    end
end
complete --command devenv --no-files --arguments '(__devenv_complete)'
