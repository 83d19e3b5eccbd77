# Completion of provdb for bash; read by: eval "$(provdb completion bash)"
_provdb_completion() {
    local kind value
    COMPREPLY=()
    while IFS=$'\t' read -r kind value; do
        case $kind in
            file) compopt +o nospace -o default 2>/dev/null ;;
            dir) compopt +o nospace -o dirnames 2>/dev/null ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_TYPE=$COMP_TYPE \
        _PROVDB_COMPLETE=bash_complete "$1" "$2" 2>/dev/null)
}
complete -o nospace -F _provdb_completion provdb
