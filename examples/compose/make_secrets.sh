#!/bin/sh
# Makes ./secrets with a password and two keys, or what of them is missing. `docker compose` mounts each file into
# the containers that need it; they run under accounts of their own, so that the files can be read by all and
# the folder by its owner alone.
set -eu

key() { printf 'mx_%s_%s\n' "$(openssl rand -hex 6)" "$(openssl rand -base64 32 | tr '+/' '-_' | tr -d '=')"; }

install -d -m 700 secrets
cd secrets
umask 022
[ -s database_password ] || openssl rand -hex 24 > database_password
[ -s admin_key ] || key > admin_key
[ -s scrape_key ] || key > scrape_key
