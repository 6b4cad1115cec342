# Run by scripts/check, in a copy: the packages that npm installs do not belong in the source.
EXTRA_DIST += \
  tests/browser/package.json \
  tests/browser/package-lock.json \
  tests/browser/gateway.mjs \
  tests/browser/browser.mjs \
  tests/browser/doc_page.mjs \
  tests/browser/world.mjs \
  tests/browser/firefox.mjs \
  tests/browser/forward.mjs \
  tests/browser/check_browsers.mjs \
  tests/browser/check_judge.mjs \
  tests/browser/check_page.mjs \
  tests/browser/check_paths.json \
  tests/browser/check_paths.mjs \
  tests/browser/check_judge.test.mjs \
  tests/browser/check_paths.test.mjs \
  tests/browser/auth_page.test.mjs \
  tests/browser/check.test.mjs \
  tests/browser/check_firefox.test.mjs \
  tests/browser/client.test.mjs \
  tests/browser/cluster_page.test.mjs \
  tests/browser/deflate.test.mjs \
  tests/browser/diagnose.test.mjs \
  tests/browser/figures.test.mjs \
  tests/browser/late.test.mjs \
  tests/browser/limits.test.mjs \
  tests/browser/networks.json \
  tests/browser/networks.test.mjs \
  tests/browser/incomplete.test.mjs \
  tests/browser/javascript_page.test.mjs \
  tests/browser/obstacle.test.mjs \
  tests/browser/page.test.mjs \
  tests/browser/proxy.test.mjs \
  tests/browser/panels.test.mjs \
  tests/browser/raw.test.mjs \
  tests/browser/readme.test.mjs \
  tests/browser/tls_page.test.mjs \
  tests/browser/tls.test.mjs \
  tests/browser/tokens.test.mjs \
  tests/browser/two_clients.test.mjs \
  tests/browser/types.test.mjs \
  tests/browser/use_page.test.mjs

# Every path of the lab's quick list and every real proxy, in Chromium: some minutes.
check-page: all
	$(srcdir)/scripts/copy-tests $(srcdir)/tests/browser check-page.tests
	SLUICE=$(abs_builddir)/sluice SLUICE_WEB=$(abs_builddir)/www SLUICE_LAB=$(abs_srcdir)/bench/lab \
	  SLUICE_CLIENT=$(abs_srcdir)/web/client node check-page.tests/check_page.mjs $(CHECK_PAGE)

clean-local: clean-check-page

clean-check-page:
	rm -rf check-page.tests

.PHONY: check-page clean-check-page
