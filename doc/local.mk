# The manual, the systemd unit, an example of a socket for it.
dist_man_MANS = doc/sluice.8 doc/sluice-bench.1 doc/sluice-log.7 doc/sluice-obstacle.1 doc/sluice-token.1
exampledir = $(docdir)/examples
dist_example_DATA = doc/sluice.socket
nodist_systemdsystemunit_DATA = doc/sluice.service
dist_doc_DATA += doc/check-report.schema.json doc/attack.md doc/auth.md doc/benchmarks.md doc/check.md \
  doc/clients.md doc/cluster.md doc/demo.md doc/deploy.md doc/javascript.md doc/limits.md doc/proxies.md doc/use.md
EXTRA_DIST += doc/sluice.service.in doc/page.png
# Run word for word by tests/network, tests/deploy, tests/e2e and tests/browser.
EXTRA_DIST += \
  doc/auth/mint.mjs \
  doc/auth/mint.py \
  doc/auth/mint_pyjwt.py \
  doc/auth/mint.php \
  doc/auth/mint.go \
  doc/auth/mint-ed25519.mjs \
  doc/auth/jwks.mjs \
  doc/auth/listen.html \
  doc/auth/eventsource.mjs \
  doc/cluster/gateway.json \
  doc/cluster/haproxy.cfg \
  doc/cluster/make-certificates.sh \
  doc/cluster/nats-users.conf \
  doc/cluster/nats.conf \
  doc/cluster/nginx.conf \
  doc/deploy/tls.json \
  doc/deploy/sluice-tls.socket \
  doc/deploy/keys.conf \
  doc/deploy/tls.conf \
  doc/deploy/renew-hook.sh \
  doc/deploy/proxy.json \
  doc/deploy/nginx.conf \
  doc/deploy/haproxy.cfg \
  doc/deploy/haproxy-hook.sh \
  doc/deploy/Caddyfile \
  doc/deploy/haproxy-relay.cfg \
  doc/deploy/haproxy-through.cfg \
  doc/deploy/through.json \
  doc/deploy/make-certificate.sh \
  doc/deploy/far.json \
  doc/deploy/haproxy-far.cfg \
  doc/deploy/sshd.conf \
  doc/deploy/ssh.conf \
  doc/deploy/sluice-tunnel.service \
  doc/deploy/sluice-tunnel.socket \
  doc/deploy/tunnel.conf \
  doc/deploy/tunnel.json \
  doc/proxies/nginx.conf \
  doc/proxies/haproxy.cfg \
  doc/proxies/apache.conf \
  doc/proxies/varnish.vcl \
  doc/proxies/Caddyfile \
  doc/proxies/squid.conf
CLEANFILES += doc/sluice.service

doc/sluice.service: doc/sluice.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) doc && $(SED) -e 's|@bindir[@]|$(bindir)|g' \
	  -e 's|@sysconfdir[@]|$(sysconfdir)|g' $(srcdir)/doc/sluice.service.in >$@.new && mv $@.new $@
