# getiaction completion for bash. Written by `getiaction --show-completion bash`; changes are lost.

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

# The candidates of the kind $1 for the word $2, a line each; the words before it follow.
_getiaction_kind() {
    local kind=$1 word=$2
    shift 2
    case "$kind" in
        =*) tr ' ' '\n' <<<"${kind#=}" ;;
        policy) "$_getiaction_helper" policies "$word" 2>/dev/null ;;
        logger) "$_getiaction_helper" loggers "$word" 2>/dev/null ;;
        environment) "$_getiaction_helper" environments "$word" 2>/dev/null ;;
        code) printf '%s\n' @CODES@ ;;
        dataset) "$_getiaction_helper" datasets "$word" 2>/dev/null; compgen -d -S / -- "$word" ;;
        overrides) "$_getiaction_helper" overrides "$word" "$@" 2>/dev/null ;;
        run) "$_getiaction_helper" runs "$word" 2>/dev/null; compgen -f -X '!*.ckpt' -- "$word"; compgen -d -S / -- "$word" ;;
        shipped) "$_getiaction_helper" recipes "$word" 2>/dev/null ;;
        recipe) "$_getiaction_helper" recipes "$word" 2>/dev/null; compgen -f -X '!*.@(yaml|yml)' -- "$word"; compgen -d -- "$word" ;;
        folder) compgen -d -- "$word" ;;
        file) compgen -f -- "$word" ;;
    esac
}

# The words of the line $1 as the program would get them, into the array words; the last one is being typed.
_getiaction_split() {
    local line=$1 char quote='' word='' begun='' i
    words=()
    for ((i = 0; i < ${#line}; i++)); do
        char=${line:i:1}
        if [[ $char == "\\" && $quote != "'" ]]; then
            ((i++))
            word+=${line:i:1} begun=1
        elif [[ -n $quote ]]; then
            if [[ $char == "$quote" ]]; then quote=''; else word+=$char; fi
        elif [[ $char == [\'\"] ]]; then
            quote=$char begun=1
        elif [[ $char == [[:space:]] ]]; then
            [[ -n $begun ]] && words+=("$word")
            word='' begun=''
        else
            word+=$char begun=1
        fi
    done
    words+=("$word")
}

_getiaction() {
    # Bash breaks words at "=" and ":"; the line itself does not.
    local line=${COMP_LINE:0:COMP_POINT} extglob
    local -a words
    _getiaction_split "$line"
    local _getiaction_helper="${words[0]%getiaction}getiaction-complete"
    local word=${words[-1]} before=${words[-2]} command='' i takes candidates
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        [[ ${words[i]} != -* ]] && { command=${words[i]}; break; }
    done
    extglob=$(shopt -p extglob)
    shopt -s extglob

    takes=$(_getiaction_takes "$command" "$before")
    # "--format=sa" is completed as "--format sa" is.
    local given=''
    if [[ $word == --*=* && -n $(_getiaction_takes "$command" "${word%%=*}") ]]; then
        takes=$(_getiaction_takes "$command" "${word%%=*}") given="${word%%=*}=" word=${word#*=}
    fi
    if [[ -n $takes ]]; then
        candidates=$(_getiaction_kind "$takes" "$word")
    elif [[ -z $command && $word != -* ]]; then
        candidates=@COMMANDS@
    elif [[ ' @OVERRIDES@ ' == *" $command "* && ($word == --*.* || ($word != -* && $before == --*.* && $before != *=*)) ]]; then
        candidates=$(_getiaction_kind overrides "$word" "${words[@]:0:${#words[@]}-1}")
    elif [[ $word == -* ]]; then
        candidates=$(_getiaction_options "$command")
    else
        takes=$(_getiaction_arguments "$command")
        candidates=$(_getiaction_kind "$takes" "$word")
    fi
    # Readline quotes the names of files as the word that is being typed is quoted.
    [[ $takes == @(recipe|folder|file) ]] && compopt -o filenames 2>/dev/null
    eval "$extglob"

    # What bash has already taken for a word of its own ("--key=") is not repeated.
    local broken=''
    [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && broken="${word%=*}="
    [[ -n $given && $COMP_WORDBREAKS == *=* ]] && given=''
    local candidate
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        [[ -n $candidate && $candidate == "$word"* ]] && COMPREPLY+=("$given${candidate#"$broken"}")
    done <<<"$candidates"
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[./=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _getiaction getiaction
