# SPDX-License-Identifier: ISC
# Completion of blaze for bash. Installed as share/bash-completion/completions/blaze. Commands and options are those
# that blaze itself tells.

# The second and third word of lines "  blaze GROUP VERB ...".
_blaze_commands() {
        "$1" --help 2> /dev/null | sed -n 's/^  blaze \([a-z]*\) \([a-z]*\) .*/\1 \2/p'
}

_blaze_options() {
        "$1" "$2" "$3" --help 2> /dev/null | sed -n 's/^  \(-[A-Za-z], \)\{0,1\}\(--[a-z-]*\).*/\2/p'
}

_blaze() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]}
        local group=${COMP_WORDS[1]} verb=${COMP_WORDS[2]} words
        COMPREPLY=()
        case $COMP_CWORD in
        1) words="$(_blaze_commands "$program" | cut -d' ' -f1 | sort -u) --help --version" ;;
        2) words=$(_blaze_commands "$program" | sed -n "s/^$group //p") ;;
        *)
                case $prev in
                --newline) words='lf crlf' ;;
                -a | --algorithm) words='rsa ed25519' ;;
                -c | --canonicalization) words='relaxed/relaxed relaxed/simple simple/relaxed simple/simple' ;;
                *) [[ $cur == -* ]] && words=$(_blaze_options "$program" "$group" "$verb") ;;
                esac
                ;;
        esac
        if [ -n "$words" ]; then
                mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        elif [ "$COMP_CWORD" -gt 2 ]; then
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
}

complete -o filenames -F _blaze blaze
