# getiaction completion for fish. Written by `getiaction --show-completion fish`; changes are lost.

function __getiaction_options
    switch "$argv[1]"
@OPTIONS@
    end
end

# What the option $argv[2] of the command $argv[1] takes: a kind, or "=" and its words.
function __getiaction_takes
    switch "$argv[1] $argv[2]"
@TAKES@
    end
end

function __getiaction_arguments
    switch "$argv[1]"
@ARGUMENTS@
    end
end

# The files whose names begin with the word, a line each; folders end in "/".
function __getiaction_files
    set -l home (string replace -r '/$' '' -- ~)
    for file in (string replace -r '^~/' "$home/" -- "$argv[1]")*
        test -d $file; and set file $file/
        string match -q '~/*' -- "$argv[1]"; and set file (string replace -- "$home/" '~/' $file)
        echo $file
    end
end

function __getiaction_recipes
    for file in (__getiaction_files "$argv[1]")
        string match -qr '(/|\.ya?ml)$' -- $file; and echo $file
    end
end

function __getiaction
    set -l words (commandline -opc)
    # As it is meant, not as it is quoted; a quote that is still open stands at its beginning.
    set -l word (commandline -ct)
    set word (string unescape -- "$word"; or string replace -r '^[\'"]' '' -- "$word")
    set -l helper (string replace -r 'getiaction$' getiaction-complete -- $words[1])
    set -l before $words[-1]
    set -l command ''
    for other in $words[2..-1]
        if not string match -q -- '-*' $other
            set command $other
            break
        end
    end

    set -l takes (__getiaction_takes "$command" "$before")
    # "--format=sa" is completed as "--format sa" is.
    set -l given ''
    if string match -qr '^--[^=]*=' -- "$word"
        set -l named (__getiaction_takes "$command" (string replace -r '=.*' '' -- "$word"))
        if test -n "$named"
            set takes $named
            set given (string replace -r '=.*' '=' -- "$word")
            set word (string replace -r '^[^=]*=' '' -- "$word")
        end
    end
    if test -z "$takes"
        if test -z "$command"; and not string match -q -- '-*' "$word"
            printf '%s\n' @COMMANDS@
            return
        else if contains -- "$command" @OVERRIDES@; and begin
                string match -q -- '--*.*' "$word"
                or begin
                    not string match -q -- '-*' "$word"
                    and string match -q -- '--*.*' "$before"
                    and not string match -q -- '*=*' "$before"
                end
            end
            $helper overrides "$word" $words 2>/dev/null
            return
        else if string match -q -- '-*' "$word"
            __getiaction_options "$command"
            return
        end
        set takes (__getiaction_arguments "$command")
    end
    switch "$takes"
        case '=*'
            string split ' ' -- (string sub -s 2 -- $takes)
        case policy
            $helper policies "$word" 2>/dev/null
        case logger
            $helper loggers "$word" 2>/dev/null
        case environment
            $helper environments "$word" 2>/dev/null
        case code
            printf '%s\n' @CODES@
        case dataset
            $helper datasets "$word" 2>/dev/null
            __fish_complete_directories "$word" ''
        case run
            $helper runs "$word" 2>/dev/null
            __getiaction_files "$word"
        case shipped
            $helper recipes "$word" 2>/dev/null
        case recipe
            $helper recipes "$word" 2>/dev/null
            __getiaction_recipes "$word"
        case folder
            __fish_complete_directories "$word" ''
        case file
            __getiaction_files "$word"
    end | string replace -r '^' -- "$given"
end

complete -c getiaction -f -a '(__getiaction)'
