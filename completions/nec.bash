# SPDX-License-Identifier: ISC
# Completion of nec for bash. Installed as share/bash-completion/completions/nec.

_nec() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
        COMPREPLY=()
        case $prev in
        --password-file | --dns-key-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
        --algorithm) mapfile -t COMPREPLY < <(compgen -W 'rsa/2048,ed25519 rsa/2048' -- "$cur") && return ;;
        --nameserver) mapfile -t COMPREPLY < <(compgen -W 'udp: tcp:' -- "$cur") && return ;;
        --help | --version | --replace | --revoke | --same-password | --rotation-test) ;;
        --*) return ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "--domain --password --password-file --dns-server --dns-key --dns-key-file
                --destination --listen --accept-from --selector --arc-selector --algorithm --validity --overlap
                --queue-life --ttl --rotation-test --replace --revoke --same-password --authserv-id --nameserver
                --memory --metrics --name --help --version" -- "$cur")
}

complete -o filenames -F _nec nec
