#compdef getiaction
# getiaction completion for zsh. Written by `getiaction --show-completion zsh`; changes are lost.

_getiaction_options() {
    case "$1" in
@OPTIONS@
    esac
}

# What the option $2 of the command $1 takes: a kind, or "=" and its words.
_getiaction_takes() {
    case "$1 $2" in
@TAKES@
    esac
}

_getiaction_arguments() {
    case "$1" in
@ARGUMENTS@
    esac
}

# Offer the lines "word<tab>help" of $1; words that end in "." or "=" go on without a space.
_getiaction_offer() {
    local entry word help
    local -a ended open dashed
    [[ $1 == -* ]] && dashed=(-o)
    for entry in ${(f)1}; do
        word=${entry%%$'\t'*}
        help=''
        [[ $entry == *$'\t'* ]] && help=${entry#*$'\t'}
        entry=${word//:/\\:}${help:+:$help}
        if [[ $word == *[.=] ]]; then open+=("$entry"); else ended+=("$entry"); fi
    done
    (( $#open )) && _describe $dashed 'getiaction' open -S ''
    (( $#ended )) && _describe $dashed 'getiaction' ended
}

_getiaction() {
    local helper="${words[1]%getiaction}getiaction-complete"
    local word="${(Q)PREFIX}" before="${words[CURRENT-1]}" command='' takes i
    for ((i = 2; i < CURRENT; i++)); do
        [[ ${words[i]} != -* ]] && { command=${words[i]}; break; }
    done

    takes=$(_getiaction_takes "$command" "$before")
    # "--format=sa" is completed as "--format sa" is.
    if [[ $word == --*=* && -n $(_getiaction_takes "$command" "${word%%=*}") ]]; then
        takes=$(_getiaction_takes "$command" "${word%%=*}")
        word=${word#*=}
        compset -P '*='
    fi
    if [[ -z $takes ]]; then
        if [[ -z $command && $word != -* ]]; then
            _getiaction_offer @COMMANDS@
            return
        elif [[ ' @OVERRIDES@ ' == *" $command "* && ( $word == --*.* || ( $word != -* && $before == --*.* && $before != *=* ) ) ]]; then
            _getiaction_offer "$("$helper" overrides "$word" "${(@Q)words[1,CURRENT-1]}" 2>/dev/null)"
            return
        elif [[ $word == -* ]]; then
            _getiaction_offer "$(_getiaction_options "$command")"
            return
        fi
        takes=$(_getiaction_arguments "$command")
    fi
    case "$takes" in
        '='*) _getiaction_offer "${(F)${(s: :)${takes#=}}}" ;;
        policy) _getiaction_offer "$("$helper" policies "$word" 2>/dev/null)" ;;
        logger) _getiaction_offer "$("$helper" loggers "$word" 2>/dev/null)" ;;
        environment) _getiaction_offer "$("$helper" environments "$word" 2>/dev/null)" ;;
        code) _getiaction_offer @CODES@ ;;
        dataset) _getiaction_offer "$("$helper" datasets "$word" 2>/dev/null)"; _path_files -/ ;;
        run) _getiaction_offer "$("$helper" runs "$word" 2>/dev/null)"; _files ;;
        shipped) _getiaction_offer "$("$helper" recipes "$word" 2>/dev/null)" ;;
        recipe) _getiaction_offer "$("$helper" recipes "$word" 2>/dev/null)"; _files -g '*.(yaml|yml)(-.)' ;;
        folder) _path_files -/ ;;
        file) _files ;;
    esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _getiaction "$@"
else
    compdef _getiaction getiaction
fi
