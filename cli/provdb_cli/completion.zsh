#compdef provdb
# Completion of provdb for zsh; read by: eval "$(provdb completion zsh)"
_provdb() {
    local kind value shown quote=$compstate[quote]
    local -a whole whole_shown begun begun_shown
    while IFS=$'\t' read -r kind value shown; do
        case $kind in
            file) _files ;;
            dir) _files -/ ;;
            plain) whole+=("$value") whole_shown+=("$shown") ;;
            open) begun+=("$value") begun_shown+=("$shown") ;;
        esac
    done < <(_PROVDB_COMPLETE=zsh_complete "${(Q)words[1]}" \
        "${(@Q)words[2,CURRENT-1]}" "${(Q)${:-$quote$PREFIX$quote}}" 2>/dev/null)
    (( $#whole )) && compadd -V whole -l -d whole_shown -a whole
    (( $#begun )) && compadd -V begun -S '' -l -d begun_shown -a begun
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _provdb "$@"
else
    compdef _provdb provdb
fi
