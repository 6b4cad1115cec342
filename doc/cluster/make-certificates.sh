#!/bin/sh
# Makes an authority and a certificate for each NATS server in the present folder: ca.pem and ca-key.pem,
# nats-1-cert.pem and nats-1-key.pem, and so on.
set -eu
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=sluice bus' \
	-keyout ca-key.pem -out ca.pem 2>/dev/null
for name in nats-1 nats-2 nats-3; do
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name.internal" \
		-keyout "$name-key.pem" -out "$name.csr" 2>/dev/null
	printf 'subjectAltName=DNS:%s.internal\nextendedKeyUsage=serverAuth,clientAuth\n' "$name" >"$name.ext"
	openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 3650 \
		-extfile "$name.ext" -out "$name-cert.pem" 2>/dev/null
	rm "$name.csr" "$name.ext"
done
