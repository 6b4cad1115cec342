# Run by scripts/check.
EXTRA_DIST += \
  tests/report/bundle.test.mjs \
  tests/report/histogram.test.mjs \
  tests/report/measured.mjs \
  tests/report/networks.test.mjs \
  tests/report/picture.test.mjs \
  tests/report/results.test.mjs \
  tests/report/verdict.test.mjs \
  tests/report/words.test.mjs
