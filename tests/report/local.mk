# Run by scripts/check.
EXTRA_DIST += \
  tests/report/measured.mjs \
  tests/report/networks.test.mjs \
  tests/report/picture.test.mjs \
  tests/report/verdict.test.mjs
