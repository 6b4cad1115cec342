include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/metrics/local.mk
include tests/style/local.mk
include tests/client/local.mk
include tests/browser/local.mk
include tests/e2e/local.mk
include tests/bench/local.mk
