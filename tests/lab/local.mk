# Run by scripts/check.
EXTRA_DIST += \
  tests/lab/arrivals.test.mjs \
  tests/lab/certificate.test.mjs \
  tests/lab/frames.test.mjs \
  tests/lab/network.test.mjs \
  tests/lab/plan.test.mjs \
  tests/lab/verdict.test.mjs
