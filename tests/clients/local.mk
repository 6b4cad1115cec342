# Run by scripts/check, in a copy: the packages that npm installs do not belong in the source.
EXTRA_DIST += \
  tests/clients/package.json \
  tests/clients/package-lock.json \
  tests/clients/cuts.mjs \
  tests/clients/door.mjs \
  tests/clients/gateway.mjs \
  tests/clients/judge.mjs \
  tests/clients/obstacle.mjs \
  tests/clients/places.mjs \
  tests/clients/player.mjs \
  tests/clients/publish.mjs \
  tests/clients/reference.mjs \
  tests/clients/world.mjs \
  tests/clients/chat.test.mjs \
  tests/clients/delivery.test.mjs \
  tests/clients/doc_page.test.mjs \
  tests/clients/engine.test.mjs \
  tests/clients/judge.test.mjs \
  tests/clients/obstacle.test.mjs \
  tests/clients/pages.test.mjs \
  tests/clients/recovery.test.mjs \
  tests/clients/restart.test.mjs \
  tests/clients/shards.test.mjs \
  tests/clients/tls.test.mjs \
  tests/clients/tokens.test.mjs \
  tests/clients/verbs.test.mjs

# All of scripts/check clients, and 200 clients cut 5,000 times.
check-clients: all
	$(srcdir)/scripts/copy-tests $(srcdir)/tests/clients check-clients.tests
	cd check-clients.tests && CLIENTS_FULL=1 SLUICE=$(abs_builddir)/sluice SLUICE_WEB=$(abs_builddir)/www \
	  SLUICE_DOC=$(abs_srcdir)/doc node --test

clean-local: clean-check-clients

clean-check-clients:
	rm -rf check-clients.tests

.PHONY: check-clients clean-check-clients
