#!/bin/sh
# /etc/letsencrypt/renewal-hooks/deploy/sluice: certbot runs this file after each renewal, and
# RENEWED_LINEAGE is then the folder of the new certificate.
set -eu
source=/etc/letsencrypt/live/push.example.org
target=/etc/sluice/tls
[ "${RENEWED_LINEAGE:-$source}" = "$source" ] || exit 0
install -d -m 750 -g ssl-cert "$target"
for name in privkey.pem fullchain.pem; do
	install -m 640 -g ssl-cert "$source/$name" "$target/$name.new"
	mv "$target/$name.new" "$target/$name"
done
systemctl reload sluice
