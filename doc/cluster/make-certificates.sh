#!/bin/sh
# Makes an authority in the present folder, and a certificate of each NATS server: nats-1.internal, ... Copy
# NAME-cert.pem, NAME-key.pem and ca.pem to /etc/nats/tls on that host, as cert.pem, key.pem and ca.pem; ca.pem
# goes to each gateway too. Keep ca-key.pem elsewhere.
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
