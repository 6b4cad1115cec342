#!/bin/sh
# Makes gateway.key and gateway.pem in the present folder. The key stays on the gateway's host. Only the
# proxy has to know the certificate.
set -eu
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
	-subj /CN=gateway.internal -addext subjectAltName=DNS:gateway.internal \
	-keyout gateway.key -out gateway.pem
