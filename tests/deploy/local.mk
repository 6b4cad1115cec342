# Run by scripts/check, in a copy: the packages that npm installs do not belong in the source.
EXTRA_DIST += \
  tests/deploy/package.json \
  tests/deploy/package-lock.json \
  tests/deploy/activate.py \
  tests/deploy/clients.mjs \
  tests/deploy/program.mjs \
  tests/deploy/setups.mjs \
  tests/deploy/browser.test.mjs \
  tests/deploy/deploy.test.mjs \
  tests/deploy/renewal.test.mjs
