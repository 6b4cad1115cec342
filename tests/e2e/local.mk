EXTRA_DIST += \
  tests/e2e/check_tls.py tests/e2e/checks.py tests/e2e/conftest.py tests/e2e/pytest.ini \
  tests/e2e/sluicetest/__init__.py tests/e2e/sluicetest/demo.py tests/e2e/sluicetest/engine_io.py tests/e2e/sluicetest/gateway.py \
  tests/e2e/sluicetest/families.py tests/e2e/sluicetest/http.py tests/e2e/sluicetest/nats.py tests/e2e/sluicetest/obstacle.py tests/e2e/sluicetest/places.py \
  tests/e2e/sluicetest/readers.py tests/e2e/sluicetest/records.py tests/e2e/sluicetest/rights.py \
  tests/e2e/sluicetest/shell_page.py tests/e2e/sluicetest/socketio.py tests/e2e/sluicetest/streams.py \
  tests/e2e/sluicetest/subscriber.py tests/e2e/sluicetest/tls.py tests/e2e/sluicetest/tokens.py \
  tests/e2e/sluicetest/websocket.py tests/e2e/sluicetest/wire.py tests/e2e/test_attacks.py tests/e2e/test_auth_page.py \
  tests/e2e/test_backend_states.py \
  tests/e2e/test_bad_input.py tests/e2e/test_batch.py tests/e2e/test_bench.py \
  tests/e2e/test_bench_probe.py tests/e2e/test_chaos.py tests/e2e/test_check_channel.py tests/e2e/test_cluster_ledger.py \
  tests/e2e/test_check_report.py tests/e2e/test_deflate.py tests/e2e/test_demo_feeds.py \
  tests/e2e/test_demo_obstacle.py tests/e2e/test_demo_trace.py \
  tests/e2e/test_ends.py tests/e2e/test_errors.py tests/e2e/test_fair.py tests/e2e/test_families.py tests/e2e/test_kept.py tests/e2e/test_labels.py \
  tests/e2e/test_ends.py tests/e2e/test_errors.py tests/e2e/test_fair.py tests/e2e/test_families.py tests/e2e/test_kept.py \
  tests/e2e/test_engine_io.py tests/e2e/test_engine_io_upgrade.py \
  tests/e2e/test_last_words.py tests/e2e/test_leaks.py tests/e2e/test_limits_verbs.py tests/e2e/test_model.py \
  tests/e2e/test_obstacle.py tests/e2e/test_obstacle_messages.py \
  tests/e2e/test_limits_requests.py \
  tests/e2e/test_obstacle_requests.py tests/e2e/test_obstacle_streams.py \
  tests/e2e/test_obstacle_tls.py tests/e2e/test_operations.py tests/e2e/test_origin_host.py \
  tests/e2e/test_one_gate.py tests/e2e/test_outage.py tests/e2e/test_page.py tests/e2e/test_permissions.py tests/e2e/test_probe.py \
  tests/e2e/test_names.py tests/e2e/test_publish.py tests/e2e/test_raw.py tests/e2e/test_reload.py \
  tests/e2e/test_request_faults.py tests/e2e/test_requests.py tests/e2e/test_resume.py \
  tests/e2e/test_seam.py tests/e2e/test_sessions.py tests/e2e/test_sessions_shards.py tests/e2e/test_slow_consumer.py \
  tests/e2e/test_start_messages.py tests/e2e/test_smuggling.py tests/e2e/test_socket_io.py tests/e2e/test_socket_io_nodes.py tests/e2e/test_smuggling_sessions.py \
  tests/e2e/test_tables.py \
  tests/e2e/test_tls.py tests/e2e/test_tls_clients.py tests/e2e/test_tls_handshake.py \
  tests/e2e/test_tls_reload.py tests/e2e/test_tls_wire.py tests/e2e/test_token_keys.py \
  tests/e2e/test_token_ways.py tests/e2e/test_tokens.py tests/e2e/test_transports.py \
  tests/e2e/test_trust_proxy.py tests/e2e/test_use_page.py tests/e2e/test_verify.py
EXTRA_DIST += tests/e2e/test_limits.py tests/e2e/test_limits_page.py

# All of it over https, with each version and cipher, fresh and resumed, and the browsers with each
# cipher: half an hour or so.
check-tls: all
	SLUICE=$(abs_builddir)/sluice SLUICE_BENCH=$(abs_builddir)/sluice-bench \
	  /usr/bin/python3 $(srcdir)/tests/e2e/check_tls.py $(CHECK_TLS)
	$(srcdir)/scripts/copy-tests $(srcdir)/tests/browser check-tls.tests
	cd check-tls.tests && SLUICE=$(abs_builddir)/sluice SLUICE_WEB=$(abs_builddir)/www \
	  SLUICE_CLIENT=$(abs_srcdir)/web/client SLUICE_EVERY_CIPHER=1 node --test tls.test.mjs

# Many random sequences of who does what, beside a model of who may.
CHECK_PERMISSIONS = 100

check-permissions: all
	SLUICE=$(abs_builddir)/sluice SLUICE_MODEL_RUNS=$(CHECK_PERMISSIONS) /usr/bin/python3 -m pytest -q \
	  -n 2 $(srcdir)/tests/e2e/test_model.py

clean-local: clean-check-tls

clean-check-tls:
	rm -rf check-tls.tests

.PHONY: check-permissions check-tls clean-check-tls
EXTRA_DIST += tests/e2e/test_nats_away.py tests/e2e/test_nats_gate.py tests/e2e/test_nats_notices.py
EXTRA_DIST += tests/e2e/test_nats_publish.py tests/e2e/test_nats_resume.py tests/e2e/test_nats_start.py
