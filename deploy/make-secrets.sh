#!/bin/sh
# Makes the secrets that docker-compose.yml hands to containers as files, in ./secrets. What is there already stays.
#
# Compose mounts such a file with the mode that it has here (docker/compose issue 9648), and containers run as users of
# their own: the files are readable, and the directory around them only to you.
set -eu
umask 022
mkdir -p secrets/worker secrets/closer secrets/portal
chmod 0700 secrets

if [ ! -e secrets/ledger-url ]; then
    password=$(openssl rand -hex 24)
    printf '%s\n' "$password" > secrets/ledger-password
    printf 'postgresql://entra_jit:%s@ledger:5432/entra_jit\n' "$password" > secrets/ledger-url
fi
[ -e secrets/keys ] || printf '%s-a:%s\n' "$(date +%Y)" "$(openssl rand -base64 32)" > secrets/keys
