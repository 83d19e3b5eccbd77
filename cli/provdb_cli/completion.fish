# Completion of provdb for fish; read by: provdb completion fish | source
function __provdb_complete
    set -l words (commandline -opc)
    for line in (_PROVDB_COMPLETE=fish_complete $words (commandline -ct) 2>/dev/null)
        set -l part (string split -m 2 \t -- $line)
        switch $part[1]
            case file
                __fish_complete_path (commandline -ct)
            case dir
                __fish_complete_directories (commandline -ct)
            case plain
                printf '%s\t%s\n' $part[2] $part[3]
        end
    end
end
complete -c provdb -f -a '(__provdb_complete)'
