# Run by scripts/check, in a copy: the packages that npm installs do not belong in the source.
EXTRA_DIST += \
  tests/deploy/package.json \
  tests/deploy/package-lock.json \
  tests/deploy/activate.py \
  tests/deploy/clients.mjs \
  tests/deploy/cluster_place.mjs \
  tests/deploy/cluster.test.mjs \
  tests/deploy/costs.mjs \
  tests/deploy/program.mjs \
  tests/deploy/setups.mjs \
  tests/deploy/browser.test.mjs \
  tests/deploy/deploy.test.mjs \
  tests/deploy/renewal.test.mjs \
  tests/deploy/tokens.test.mjs \
  tests/deploy/unit.test.mjs

# The figures of the table in doc/deploy.md: some minutes.
deploy-costs: all
	$(srcdir)/scripts/copy-tests $(srcdir)/tests/deploy deploy-costs.tests
	ulimit -n $$(ulimit -H -n); SLUICE=$(abs_builddir)/sluice SLUICE_WEB=$(abs_builddir)/www \
	  SLUICE_LAB=$(abs_srcdir)/bench/lab SLUICE_DOC=$(abs_srcdir)/doc node deploy-costs.tests/costs.mjs

clean-local: clean-deploy-costs

clean-deploy-costs:
	rm -rf deploy-costs.tests

.PHONY: deploy-costs clean-deploy-costs
