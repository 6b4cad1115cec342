EXTRA_DIST += \
  tests/bench/benchtest/__init__.py tests/bench/benchtest/bench.py \
  tests/bench/benchtest/capture.py tests/bench/benchtest/link.py tests/bench/benchtest/relay.py \
  tests/bench/conftest.py tests/bench/pytest.ini \
  tests/bench/test_against.py tests/bench/test_busy_polling.py tests/bench/test_channels.py \
  tests/bench/test_check.py tests/bench/test_clients.py tests/bench/test_cluster.py tests/bench/test_deflate.py tests/bench/test_lab.py tests/bench/test_network.py \
  tests/bench/test_network_link.py tests/bench/test_opening.py tests/bench/test_page.py \
  tests/bench/test_peers.py tests/bench/test_saturation.py tests/bench/test_sessions.py tests/bench/test_stall.py \
  tests/bench/test_switch.py tests/bench/test_tls.py tests/bench/test_tokens.py \
  tests/bench/test_wire.py
