# Run by scripts/check, in a copy: the packages that npm installs do not belong in the source.
EXTRA_DIST += \
  tests/browser/package.json \
  tests/browser/package-lock.json \
  tests/browser/gateway.mjs \
  tests/browser/browser.mjs \
  tests/browser/world.mjs \
  tests/browser/firefox.mjs \
  tests/browser/forward.mjs \
  tests/browser/check.test.mjs \
  tests/browser/check_firefox.test.mjs \
  tests/browser/client.test.mjs \
  tests/browser/diagnose.test.mjs \
  tests/browser/figures.test.mjs \
  tests/browser/late.test.mjs \
  tests/browser/networks.json \
  tests/browser/networks.test.mjs \
  tests/browser/incomplete.test.mjs \
  tests/browser/obstacle.test.mjs \
  tests/browser/page.test.mjs \
  tests/browser/proxy.test.mjs \
  tests/browser/panels.test.mjs \
  tests/browser/raw.test.mjs \
  tests/browser/types.test.mjs
