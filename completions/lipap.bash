# SPDX-License-Identifier: ISC
# Completion of lipap for bash. Installed as share/bash-completion/completions/lipap.

_lipap() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
        COMPREPLY=()
        case $prev in
        --image | --password-file | --dns-key-file | --tls-cert | --tls-key | --ca-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
        --nameserver) mapfile -t COMPREPLY < <(compgen -W 'udp: tcp:' -- "$cur") && return ;;
        --help | --version) ;;
        --*) return ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "--image --domain --hostname --signer --signer-network --nameserver --trusted-nameserver
                --password --password-file --old-password --authserv-id
                --dns-server --dns-key --dns-key-file --tls-cert --tls-key --ca-file --admin --selector --arc-selector --listen --greet-delay --proxy-from --tarpit --sessions --sessions-per-address --max-message --retry --relay --metrics --name --help
                --version" -- "$cur")
}

complete -o filenames -F _lipap lipap
