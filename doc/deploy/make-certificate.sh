#!/bin/sh
# A certificate that only the proxy has to know. gateway.key stays on the gateway's host, and
# gateway.pem is copied to the proxy's.
set -eu
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
	-subj /CN=gateway.internal -addext subjectAltName=DNS:gateway.internal \
	-keyout gateway.key -out gateway.pem
