# `make chaos`: many clients and a gateway that has accidents; minutes, so no part of `make check`.
EXTRA_DIST += tests/chaos/run tests/chaos/README.md \
  tests/chaos/chaostest/__init__.py tests/chaos/chaostest/client.py tests/chaos/chaostest/coverage.py \
  tests/chaos/chaostest/ledger.py tests/chaos/chaostest/loop.py tests/chaos/chaostest/network.py \
  tests/chaos/chaostest/payload.py tests/chaos/chaostest/publisher.py tests/chaos/chaostest/readers.py \
  tests/chaos/chaostest/run.py tests/chaos/chaostest/worker.py
