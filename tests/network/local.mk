# Run by scripts/check, in a copy: the packages that npm installs do not belong in the source.
EXTRA_DIST += \
  tests/network/package.json \
  tests/network/package-lock.json \
  tests/network/network.mjs \
  tests/network/hosts.mjs \
  tests/network/clients.mjs \
  tests/network/world.mjs \
  tests/network/proxies.mjs \
  tests/network/network.test.mjs
