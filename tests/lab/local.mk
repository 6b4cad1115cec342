# Run by scripts/check.
EXTRA_DIST += \
  tests/lab/plan.test.mjs \
  tests/lab/verdict.test.mjs
