# SPDX-License-Identifier: ISC
# Completion of ptt for bash. Installed as share/bash-completion/completions/ptt.

_ptt_settings='subscription posting first-post from reply-to subject-prefix footer who duplicates max-message archive description language report'

_ptt_values() {
        case $1 in
        subscription) echo moderated confirm open closed ;;
        posting) echo subscribers open moderated announce ;;
        first-post) echo free moderated ;;
        from) echo auto rewrite keep ;;
        reply-to) echo author list both ;;
        subject-prefix | footer | description) echo none ;;
        who) echo subscribers moderators nobody ;;
        duplicates) echo send skip ;;
        archive) echo off on ;;
        esac
}

_ptt_options() {
        local s
        echo --help
        case $1 in
        create) echo --size ;;
        add)
                echo --domain --moderator --subscriber
                for s in $_ptt_settings; do echo "--$s"; done
                ;;
        add-moderator | rem-moderator | add-subscriber | rem-subscriber | set) echo --domain ;;
        options) echo --domain --nomail --own-posts ;;
        export) echo --domain --csv --json ;;
        show | why) echo --domain --json ;;
        bounces) echo --domain --json --of ;;
        import) echo --domain --from ;;
        queue) echo --domain --json --flush --hold --drop ;;
        check) echo --repair --not-running --json ;;
        ls) echo --long --json ;;
        get) echo --to ;;
        put) echo --from ;;
        dns) echo --domain --hostname --ipv4 --ipv6 --check --nameserver --selector --arc-selector ;;
        esac
}

_ptt() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
                mapfile -t COMPREPLY < <(compgen -W "create grow add add-moderator rem-moderator add-subscriber rem-subscriber options set show import export queue bounces why check ls cat get put rm dns password --help --version" -- "$cur")
                return
        fi
        case $command:$prev in
        import:--from) mapfile -t COMPREPLY < <(compgen -W 'mailman2 mailman3 mlmmj sympa' -- "$cur") && return ;;
        options:--*) mapfile -t COMPREPLY < <(compgen -W 'on off' -- "$cur") && return ;;
        get:--to | put:--from) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
        add:--*) mapfile -t COMPREPLY < <(compgen -W "$(_ptt_values "${prev#--}")" -- "$cur") && return ;;
        esac
        if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_ptt_options "$command")" -- "$cur")
        elif [ "$COMP_CWORD" -eq 2 ] || [ "$command" = import ] || [ "$command" = export ]; then
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        elif [ "$command" = set ]; then
                mapfile -t COMPREPLY < <(compgen -W "$_ptt_settings $(_ptt_values "$prev")" -- "$cur")
        fi
}

complete -o filenames -F _ptt ptt
