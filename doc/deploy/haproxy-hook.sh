#!/bin/sh
# /etc/letsencrypt/renewal-hooks/deploy/haproxy: writes the certificate and its key into one file, as
# haproxy reads them. certbot runs this after each renewal; RENEWED_LINEAGE is the certificate's folder.
set -eu
source=/etc/letsencrypt/live/push.example.org
target=/etc/haproxy/push.example.org.pem
[ "${RENEWED_LINEAGE:-$source}" = "$source" ] || exit 0
umask 077
cat "$source/fullchain.pem" "$source/privkey.pem" >"$target.new"
mv "$target.new" "$target"
# Reloads a haproxy that runs.
systemctl try-reload-or-restart haproxy
