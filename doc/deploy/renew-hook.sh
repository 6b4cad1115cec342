#!/bin/sh
# /etc/letsencrypt/renewal-hooks/deploy/sluice: copies the certificate and its key to a folder that the
# gateway can read. certbot runs this after each renewal; RENEWED_LINEAGE is the certificate's folder.
set -eu
source=/etc/letsencrypt/live/push.example.org
target=/etc/sluice/tls
[ "${RENEWED_LINEAGE:-$source}" = "$source" ] || exit 0
install -d -m 750 -g ssl-cert "$target"
for name in privkey.pem fullchain.pem; do
	install -m 640 -g ssl-cert "$source/$name" "$target/$name.new"
	mv "$target/$name.new" "$target/$name"
done
# Reloads a gateway that runs. Before the first start this does nothing.
systemctl try-reload-or-restart sluice
