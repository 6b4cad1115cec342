# One program a module, named after it; each ends with CUnit's own summary.
unit_tests =
unit_cflags = $(AM_CFLAGS) $(CUNIT_CFLAGS)
unit_ldadd = $(LDADD) $(CUNIT_LIBS)

# Memory that fails at the n-th call: $(failing_alloc) among the sources, $(failing_ldflags).
failing_alloc = tests/unit/failing_alloc.c tests/unit/failing_alloc.h
failing_ldflags = $(AM_LDFLAGS) \
  -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=free \
  -Wl,--wrap=strdup,--wrap=strndup,--wrap=asprintf,--wrap=__asprintf_chk

live_world = tests/unit/live_world.c tests/unit/live_world.h

EXTRA_DIST += tests/unit/unit.h tests/unit/subscription.h tests/unit/messages.h tests/unit/draw.h \
  tests/unit/expect_text.h tests/unit/fixed_time.h tests/unit/set_clock.h tests/unit/story.h tests/unit/stub_bus.h tests/unit/log_lines.h \
  tests/unit/ws_bytes.h tests/unit/ws_case.h tests/unit/ws_transcript.h
tls_client = tests/unit/tls_client.c tests/unit/tls_client.h

EXTRA_DIST += tests/unit/check_world.h tests/unit/demo_world.h tests/unit/script.h tests/unit/somebody.h

unit_tests += tests/unit/test_buffer
tests_unit_test_buffer_SOURCES = tests/unit/test_buffer.c $(failing_alloc)
tests_unit_test_buffer_LDADD = $(unit_ldadd)
tests_unit_test_buffer_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_backend_loading
tests_unit_test_backend_loading_SOURCES = tests/unit/test_backend_loading.c
tests_unit_test_backend_loading_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_server_url
tests_unit_test_server_url_SOURCES = tests/unit/test_server_url.c
tests_unit_test_server_url_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_rota
tests_unit_test_rota_SOURCES = tests/unit/test_rota.c
tests_unit_test_rota_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_deflate
tests_unit_test_deflate_SOURCES = tests/unit/test_deflate.c tests/unit/deflate_parts.h $(failing_alloc)
tests_unit_test_deflate_LDADD = $(unit_ldadd)
tests_unit_test_deflate_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_quote
tests_unit_test_quote_SOURCES = tests/unit/test_quote.c
tests_unit_test_quote_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_scale
tests_unit_test_scale_SOURCES = tests/unit/test_scale.c
tests_unit_test_scale_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_tally
tests_unit_test_tally_SOURCES = tests/unit/test_tally.c $(failing_alloc)
tests_unit_test_tally_LDADD = $(unit_ldadd)
tests_unit_test_tally_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_utf8
tests_unit_test_utf8_SOURCES = tests/unit/test_utf8.c
tests_unit_test_utf8_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_bench_statistics
tests_unit_test_bench_statistics_SOURCES = tests/unit/test_bench_statistics.c
tests_unit_test_bench_statistics_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_cluster
tests_unit_test_bench_cluster_SOURCES = tests/unit/test_bench_cluster.c
tests_unit_test_bench_cluster_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_nats
tests_unit_test_bench_nats_SOURCES = tests/unit/test_bench_nats.c
tests_unit_test_bench_nats_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_histogram
tests_unit_test_bench_histogram_SOURCES = tests/unit/test_bench_histogram.c
tests_unit_test_bench_histogram_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_report
tests_unit_test_bench_report_SOURCES = tests/unit/test_bench_report.c
tests_unit_test_bench_report_LDADD = $(bench_ldadd) $(CUNIT_LIBS)

unit_tests += tests/unit/test_bench_budget
tests_unit_test_bench_budget_SOURCES = tests/unit/test_bench_budget.c
tests_unit_test_bench_budget_LDADD = $(bench_ldadd) $(CUNIT_LIBS)

unit_tests += tests/unit/test_bench_against
tests_unit_test_bench_against_SOURCES = tests/unit/test_bench_against.c
tests_unit_test_bench_against_LDADD = $(bench_ldadd) $(CUNIT_LIBS)

unit_tests += tests/unit/test_bench_follower
tests_unit_test_bench_follower_SOURCES = tests/unit/test_bench_follower.c
tests_unit_test_bench_follower_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_networks
tests_unit_test_bench_networks_SOURCES = tests/unit/test_bench_networks.c
tests_unit_test_bench_networks_LDADD = $(bench_ldadd) $(CUNIT_LIBS)

unit_tests += tests/unit/test_bench_options
tests_unit_test_bench_options_SOURCES = tests/unit/test_bench_options.c
tests_unit_test_bench_options_LDADD = $(bench_ldadd) $(CUNIT_LIBS)

unit_tests += tests/unit/test_bench_together
tests_unit_test_bench_together_SOURCES = tests/unit/test_bench_together.c
tests_unit_test_bench_together_LDADD = $(bench_ldadd) $(CUNIT_LIBS)

unit_tests += tests/unit/test_bench_files
tests_unit_test_bench_files_SOURCES = tests/unit/test_bench_files.c
tests_unit_test_bench_files_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_row
tests_unit_test_bench_row_SOURCES = tests/unit/test_bench_row.c
tests_unit_test_bench_row_LDADD = $(bench_ldadd) $(CUNIT_LIBS)

unit_tests += tests/unit/test_bench_marker
tests_unit_test_bench_marker_SOURCES = tests/unit/test_bench_marker.c
tests_unit_test_bench_marker_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_break_even
tests_unit_test_bench_break_even_SOURCES = tests/unit/test_bench_break_even.c
tests_unit_test_bench_break_even_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_frames
tests_unit_test_bench_frames_SOURCES = tests/unit/test_bench_frames.c
tests_unit_test_bench_frames_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_http
tests_unit_test_bench_http_SOURCES = tests/unit/test_bench_http.c
tests_unit_test_bench_http_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_reader
tests_unit_test_bench_reader_SOURCES = tests/unit/test_bench_reader.c
tests_unit_test_bench_reader_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_network_carrier
tests_unit_test_bench_network_carrier_SOURCES = tests/unit/test_bench_network_carrier.c
tests_unit_test_bench_network_carrier_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_network_flows
tests_unit_test_bench_network_flows_SOURCES = tests/unit/test_bench_network_flows.c
tests_unit_test_bench_network_flows_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_network_kinds
tests_unit_test_bench_network_kinds_SOURCES = tests/unit/test_bench_network_kinds.c
tests_unit_test_bench_network_kinds_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_network_pipe
tests_unit_test_bench_network_pipe_SOURCES = tests/unit/test_bench_network_pipe.c
tests_unit_test_bench_network_pipe_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_cost
tests_unit_test_bench_cost_SOURCES = tests/unit/test_bench_cost.c
tests_unit_test_bench_cost_LDADD = $(bench_ldadd) $(CUNIT_LIBS)

unit_tests += tests/unit/test_bench_bye
tests_unit_test_bench_bye_SOURCES = tests/unit/test_bench_bye.c
tests_unit_test_bench_bye_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_signer
tests_unit_test_bench_signer_SOURCES = tests/unit/test_bench_signer.c
tests_unit_test_bench_signer_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_fetch
tests_unit_test_bench_fetch_SOURCES = tests/unit/test_bench_fetch.c
tests_unit_test_bench_fetch_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_tls
tests_unit_test_bench_tls_SOURCES = tests/unit/test_bench_tls.c
tests_unit_test_bench_tls_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_scan
tests_unit_test_bench_scan_SOURCES = tests/unit/test_bench_scan.c
tests_unit_test_bench_scan_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_target
tests_unit_test_bench_target_SOURCES = tests/unit/test_bench_target.c
tests_unit_test_bench_target_LDADD = $(bench_ldadd) $(unit_ldadd)
tests_unit_test_bench_target_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getaddrinfo,--wrap=freeaddrinfo

unit_tests += tests/unit/test_bench_generator
tests_unit_test_bench_generator_SOURCES = tests/unit/test_bench_generator.c
tests_unit_test_bench_generator_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_wait
tests_unit_test_bench_wait_SOURCES = tests/unit/test_bench_wait.c
tests_unit_test_bench_wait_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_schedule
tests_unit_test_bench_schedule_SOURCES = tests/unit/test_bench_schedule.c
tests_unit_test_bench_schedule_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_answer
tests_unit_test_bench_answer_SOURCES = tests/unit/test_bench_answer.c
tests_unit_test_bench_answer_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_bench_peers
tests_unit_test_bench_peers_SOURCES = tests/unit/test_bench_peers.c
tests_unit_test_bench_peers_LDADD = $(bench_ldadd) $(unit_ldadd)

unit_tests += tests/unit/test_crypto
tests_unit_test_crypto_SOURCES = tests/unit/test_crypto.c
tests_unit_test_crypto_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_args
tests_unit_test_args_SOURCES = tests/unit/test_args.c $(failing_alloc)
tests_unit_test_args_LDADD = $(unit_ldadd)
tests_unit_test_args_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_base64
tests_unit_test_base64_SOURCES = tests/unit/test_base64.c $(failing_alloc)
tests_unit_test_base64_LDADD = $(unit_ldadd)
tests_unit_test_base64_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_clock
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c
tests_unit_test_clock_LDADD = $(unit_ldadd)
tests_unit_test_clock_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime

unit_tests += tests/unit/test_err
tests_unit_test_err_SOURCES = tests/unit/test_err.c
tests_unit_test_err_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_log
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_LDADD = $(unit_ldadd)
tests_unit_test_log_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_hash
tests_unit_test_hash_SOURCES = tests/unit/test_hash.c
tests_unit_test_hash_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_json_check
tests_unit_test_json_check_SOURCES = tests/unit/test_json_check.c
tests_unit_test_json_check_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_json_members
tests_unit_test_json_members_SOURCES = tests/unit/test_json_members.c $(failing_alloc)
tests_unit_test_json_members_LDADD = $(unit_ldadd)
tests_unit_test_json_members_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_message
tests_unit_test_message_SOURCES = tests/unit/test_message.c $(failing_alloc)
tests_unit_test_message_LDADD = $(unit_ldadd)
tests_unit_test_message_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_params
tests_unit_test_params_SOURCES = tests/unit/test_params.c
tests_unit_test_params_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_config
tests_unit_test_config_SOURCES = tests/unit/test_config.c $(both_backends) $(failing_alloc)
tests_unit_test_config_LDADD = $(unit_ldadd)
tests_unit_test_config_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_listen_address
tests_unit_test_listen_address_SOURCES = tests/unit/test_listen_address.c
tests_unit_test_listen_address_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_options
tests_unit_test_options_SOURCES = tests/unit/test_options.c $(both_backends)
tests_unit_test_options_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_option_values
tests_unit_test_option_values_SOURCES = tests/unit/test_option_values.c $(both_backends) \
  $(failing_alloc)
tests_unit_test_option_values_LDADD = $(unit_ldadd)
tests_unit_test_option_values_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_value
tests_unit_test_value_SOURCES = tests/unit/test_value.c $(failing_alloc)
tests_unit_test_value_LDADD = $(unit_ldadd)
tests_unit_test_value_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_ws_frame
tests_unit_test_ws_frame_SOURCES = tests/unit/test_ws_frame.c
tests_unit_test_ws_frame_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_ws_encoders
tests_unit_test_ws_encoders_SOURCES = tests/unit/test_ws_encoders.c
tests_unit_test_ws_encoders_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_ws_extension
tests_unit_test_ws_extension_SOURCES = tests/unit/test_ws_extension.c
tests_unit_test_ws_extension_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_ws_message
tests_unit_test_ws_message_SOURCES = tests/unit/test_ws_message.c
tests_unit_test_ws_message_LDADD = $(unit_ldadd)
tests_unit_test_ws_message_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=calloc,--wrap=realloc

unit_tests += tests/unit/test_ws_handshake
tests_unit_test_ws_handshake_SOURCES = tests/unit/test_ws_handshake.c
tests_unit_test_ws_handshake_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_ws_deflate
tests_unit_test_ws_deflate_SOURCES = tests/unit/test_ws_deflate.c
tests_unit_test_ws_deflate_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_ws_autobahn
tests_unit_test_ws_autobahn_SOURCES = tests/unit/test_ws_autobahn.c
tests_unit_test_ws_autobahn_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_ws_autobahn_utf8
tests_unit_test_ws_autobahn_utf8_SOURCES = tests/unit/test_ws_autobahn_utf8.c
tests_unit_test_ws_autobahn_utf8_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_metrics_rows
tests_unit_test_metrics_rows_SOURCES = tests/unit/test_metrics_rows.c
tests_unit_test_metrics_rows_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_metrics
tests_unit_test_metrics_SOURCES = tests/unit/test_metrics.c
tests_unit_test_metrics_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_systemd
tests_unit_test_systemd_SOURCES = tests/unit/test_systemd.c $(failing_alloc)
tests_unit_test_systemd_LDADD = $(unit_ldadd)
tests_unit_test_systemd_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sse_event
tests_unit_test_sse_event_SOURCES = tests/unit/test_sse_event.c
tests_unit_test_sse_event_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_mailbox
tests_unit_test_mailbox_SOURCES = tests/unit/test_mailbox.c $(failing_alloc)
tests_unit_test_mailbox_LDADD = $(unit_ldadd)
tests_unit_test_mailbox_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_history
tests_unit_test_history_SOURCES = tests/unit/test_history.c $(failing_alloc)
tests_unit_test_history_LDADD = $(unit_ldadd)
tests_unit_test_history_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_bus_threads
tests_unit_test_bus_threads_SOURCES = tests/unit/test_bus_threads.c $(slow_backend)
tests_unit_test_bus_threads_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_bus
tests_unit_test_bus_SOURCES = tests/unit/test_bus.c $(failing_alloc)
tests_unit_test_bus_LDADD = $(unit_ldadd)
tests_unit_test_bus_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_bus_log
tests_unit_test_bus_log_SOURCES = tests/unit/test_bus_log.c
tests_unit_test_bus_log_LDADD = $(unit_ldadd)
tests_unit_test_bus_log_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_bus_publish
tests_unit_test_bus_publish_SOURCES = tests/unit/test_bus_publish.c tests/unit/held_backend.h
tests_unit_test_bus_publish_LDADD = $(unit_ldadd)
tests_unit_test_bus_publish_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms,--wrap=sl_clock_monotonic_us

unit_tests += tests/unit/test_bus_shards
tests_unit_test_bus_shards_SOURCES = tests/unit/test_bus_shards.c $(failing_alloc)
tests_unit_test_bus_shards_LDADD = $(unit_ldadd)
tests_unit_test_bus_shards_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_dedupe
tests_unit_test_dedupe_SOURCES = tests/unit/test_dedupe.c $(failing_alloc)
tests_unit_test_dedupe_LDADD = $(unit_ldadd)
tests_unit_test_dedupe_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_nats_server
tests_unit_test_nats_server_SOURCES = tests/unit/test_nats_server.c $(nats_server)
tests_unit_test_nats_server_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_backend_contract
tests_unit_test_backend_contract_SOURCES = tests/unit/test_backend_contract.c tests/unit/backend_stage.h $(slow_backend) $(nats_stage)
tests_unit_test_backend_contract_LDADD = $(unit_ldadd)
tests_unit_test_backend_contract_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_backend_states
tests_unit_test_backend_states_SOURCES = tests/unit/test_backend_states.c tests/unit/backend_stage.h $(slow_backend) $(nats_stage)
tests_unit_test_backend_states_LDADD = $(unit_ldadd)
tests_unit_test_backend_states_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_timer
tests_unit_test_timer_SOURCES = tests/unit/test_timer.c
tests_unit_test_timer_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_loop
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c
tests_unit_test_loop_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_raise
tests_unit_test_raise_SOURCES = tests/unit/test_raise.c $(failing_alloc)
tests_unit_test_raise_LDADD = $(unit_ldadd)
tests_unit_test_raise_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_buckets
tests_unit_test_buckets_SOURCES = tests/unit/test_buckets.c
tests_unit_test_buckets_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_limits_loading
tests_unit_test_limits_loading_SOURCES = tests/unit/test_limits_loading.c
tests_unit_test_limits_loading_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_owners
tests_unit_test_owners_SOURCES = tests/unit/test_owners.c $(failing_alloc)
tests_unit_test_owners_LDADD = $(unit_ldadd)
tests_unit_test_owners_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_origin
tests_unit_test_origin_SOURCES = tests/unit/test_origin.c
tests_unit_test_origin_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_network
tests_unit_test_network_SOURCES = tests/unit/test_network.c $(failing_alloc)
tests_unit_test_network_LDADD = $(unit_ldadd)
tests_unit_test_network_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_permission
tests_unit_test_permission_SOURCES = tests/unit/test_permission.c tests/unit/read_head.h tests/unit/tokens.h
tests_unit_test_permission_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_revocation
tests_unit_test_revocation_SOURCES = tests/unit/test_revocation.c $(live_world) tests/unit/http_client.h \
  tests/unit/tokens.h $(failing_alloc)
tests_unit_test_revocation_LDADD = $(unit_ldadd)
tests_unit_test_revocation_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_api_admin
tests_unit_test_api_admin_SOURCES = tests/unit/test_api_admin.c $(live_world) tests/unit/http_client.h \
  tests/unit/tokens.h $(failing_alloc)
tests_unit_test_api_admin_LDADD = $(unit_ldadd)
tests_unit_test_api_admin_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_api_ticket
tests_unit_test_api_ticket_SOURCES = tests/unit/test_api_ticket.c $(live_world) tests/unit/http_client.h \
  tests/unit/tokens.h
tests_unit_test_api_ticket_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_credentials
tests_unit_test_credentials_SOURCES = tests/unit/test_credentials.c tests/unit/read_head.h tests/unit/tokens.h $(live_world)
tests_unit_test_credentials_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_redact
tests_unit_test_redact_SOURCES = tests/unit/test_redact.c
tests_unit_test_redact_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_forwarded
tests_unit_test_forwarded_SOURCES = tests/unit/test_forwarded.c
tests_unit_test_forwarded_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_proxy_header
tests_unit_test_proxy_header_SOURCES = tests/unit/test_proxy_header.c tests/unit/proxy_bytes.h
tests_unit_test_proxy_header_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_trust
tests_unit_test_trust_SOURCES = tests/unit/test_trust.c $(live_world) tests/unit/http_client.h
tests_unit_test_trust_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_preface
tests_unit_test_preface_SOURCES = tests/unit/test_preface.c $(failing_alloc) $(live_world) \
  $(tls_client) tests/unit/https_client.h tests/unit/http_client.h tests/unit/proxy_bytes.h
tests_unit_test_preface_LDADD = $(unit_ldadd)
tests_unit_test_preface_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_access
tests_unit_test_access_SOURCES = tests/unit/test_access.c $(failing_alloc)
tests_unit_test_access_LDADD = $(unit_ldadd)
tests_unit_test_access_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_route
tests_unit_test_route_SOURCES = tests/unit/test_route.c
tests_unit_test_route_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_charge
tests_unit_test_charge_SOURCES = tests/unit/test_charge.c tests/unit/read_head.h tests/unit/tokens.h
tests_unit_test_charge_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_gate
tests_unit_test_gate_SOURCES = tests/unit/test_gate.c tests/unit/read_head.h
tests_unit_test_gate_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_batch
tests_unit_test_batch_SOURCES = tests/unit/test_batch.c $(slow_backend) $(live_world) $(failing_alloc)
tests_unit_test_batch_LDADD = $(unit_ldadd)
tests_unit_test_batch_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_content
tests_unit_test_content_SOURCES = tests/unit/test_content.c
tests_unit_test_content_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_api_publish
tests_unit_test_api_publish_SOURCES = tests/unit/test_api_publish.c $(slow_backend) tests/unit/read_head.h $(live_world) $(failing_alloc)
tests_unit_test_api_publish_LDADD = $(unit_ldadd)
tests_unit_test_api_publish_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_listener
tests_unit_test_listener_SOURCES = tests/unit/test_listener.c
tests_unit_test_listener_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_socket
tests_unit_test_socket_SOURCES = tests/unit/test_socket.c
tests_unit_test_socket_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_http_date
tests_unit_test_http_date_SOURCES = tests/unit/test_http_date.c
tests_unit_test_http_date_LDADD = $(unit_ldadd)
tests_unit_test_http_date_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=time

unit_tests += tests/unit/test_long_response
tests_unit_test_long_response_SOURCES = tests/unit/test_long_response.c
tests_unit_test_long_response_LDADD = $(unit_ldadd)
tests_unit_test_long_response_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=time

unit_tests += tests/unit/test_api_probe
tests_unit_test_api_probe_SOURCES = tests/unit/test_api_probe.c $(failing_alloc) tests/unit/held_backend.h
tests_unit_test_api_probe_LDADD = $(unit_ldadd)
tests_unit_test_api_probe_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_notices
tests_unit_test_notices_SOURCES = tests/unit/test_notices.c $(live_world) tests/unit/http_client.h \
  tests/unit/tokens.h
tests_unit_test_notices_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_listening
tests_unit_test_listening_SOURCES = tests/unit/test_listening.c
tests_unit_test_listening_LDADD = $(unit_ldadd)
tests_unit_test_listening_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=socket,--wrap=bind

unit_tests += tests/unit/test_reread
tests_unit_test_reread_SOURCES = tests/unit/test_reread.c $(both_backends) $(failing_alloc)
tests_unit_test_reread_LDADD = $(unit_ldadd)
tests_unit_test_reread_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_head
tests_unit_test_head_SOURCES = tests/unit/test_head.c tests/unit/read_head.h
tests_unit_test_head_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_body
tests_unit_test_body_SOURCES = tests/unit/test_body.c $(failing_alloc)
tests_unit_test_body_LDADD = $(unit_ldadd)
tests_unit_test_body_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_smuggling
tests_unit_test_smuggling_SOURCES = tests/unit/test_smuggling.c tests/unit/read_head.h
tests_unit_test_smuggling_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_head_echo
tests_unit_test_head_echo_SOURCES = tests/unit/test_head_echo.c tests/unit/read_head.h $(failing_alloc)
tests_unit_test_head_echo_LDADD = $(unit_ldadd)
tests_unit_test_head_echo_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_etag
tests_unit_test_etag_SOURCES = tests/unit/test_etag.c
tests_unit_test_etag_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_poll_reply
tests_unit_test_poll_reply_SOURCES = tests/unit/test_poll_reply.c
tests_unit_test_poll_reply_LDADD = $(unit_ldadd)
tests_unit_test_poll_reply_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=time

unit_tests += tests/unit/test_response
tests_unit_test_response_SOURCES = tests/unit/test_response.c $(failing_alloc)
tests_unit_test_response_LDADD = $(unit_ldadd)
tests_unit_test_response_LDFLAGS = $(failing_ldflags) -Wl,--wrap=time

unit_tests += tests/unit/test_reply
tests_unit_test_reply_SOURCES = tests/unit/test_reply.c $(failing_alloc)
tests_unit_test_reply_LDADD = $(unit_ldadd)
tests_unit_test_reply_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_control
tests_unit_test_control_SOURCES = tests/unit/test_control.c $(live_world)
tests_unit_test_control_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_protocol
tests_unit_test_protocol_SOURCES = tests/unit/test_protocol.c $(slow_backend) $(live_world)
tests_unit_test_protocol_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_transport_contract
tests_unit_test_transport_contract_SOURCES = tests/unit/test_transport_contract.c $(live_world)
tests_unit_test_transport_contract_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_ws_compression
tests_unit_test_ws_compression_SOURCES = tests/unit/test_ws_compression.c $(live_world) $(failing_alloc)
tests_unit_test_ws_compression_LDADD = $(unit_ldadd)
tests_unit_test_ws_compression_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_websocket
tests_unit_test_websocket_SOURCES = tests/unit/test_websocket.c $(live_world) $(failing_alloc)
tests_unit_test_websocket_LDADD = $(unit_ldadd)
tests_unit_test_websocket_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_trace
tests_unit_test_trace_SOURCES = tests/unit/test_trace.c
tests_unit_test_trace_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_names
tests_unit_test_names_SOURCES = tests/unit/test_names.c $(failing_alloc)
tests_unit_test_names_LDADD = $(unit_ldadd)
tests_unit_test_names_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_wanted
tests_unit_test_wanted_SOURCES = tests/unit/test_wanted.c
tests_unit_test_wanted_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_tap
tests_unit_test_tap_SOURCES = tests/unit/test_tap.c $(failing_alloc)
tests_unit_test_tap_LDADD = $(unit_ldadd)
tests_unit_test_tap_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_watch
tests_unit_test_watch_SOURCES = tests/unit/test_watch.c
tests_unit_test_watch_LDADD = $(unit_ldadd)
tests_unit_test_watch_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_blocks
tests_unit_test_blocks_SOURCES = tests/unit/test_blocks.c $(failing_alloc)
tests_unit_test_blocks_LDADD = $(unit_ldadd)
tests_unit_test_blocks_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms,--wrap=sl_link_abort

unit_tests += tests/unit/test_api
tests_unit_test_api_SOURCES = tests/unit/test_api.c $(failing_alloc)
tests_unit_test_api_LDADD = $(unit_ldadd)
tests_unit_test_api_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_obstacle
tests_unit_test_obstacle_SOURCES = tests/unit/test_obstacle.c
tests_unit_test_obstacle_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_child
tests_unit_test_child_SOURCES = tests/unit/test_child.c
tests_unit_test_child_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_lanes
tests_unit_test_lanes_SOURCES = tests/unit/test_lanes.c $(failing_alloc)
tests_unit_test_lanes_LDADD = $(unit_ldadd)
tests_unit_test_lanes_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_listener_open

unit_tests += tests/unit/test_check_routes
tests_unit_test_check_routes_SOURCES = tests/unit/test_check_routes.c
tests_unit_test_check_routes_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_sio_assembly
tests_unit_test_sio_assembly_SOURCES = tests/unit/test_sio_assembly.c $(failing_alloc)
tests_unit_test_sio_assembly_LDADD = $(unit_ldadd)
tests_unit_test_sio_assembly_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_encoders
tests_unit_test_sio_encoders_SOURCES = tests/unit/test_sio_encoders.c $(failing_alloc)
tests_unit_test_sio_encoders_LDADD = $(unit_ldadd)
tests_unit_test_sio_encoders_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_event
tests_unit_test_sio_event_SOURCES = tests/unit/test_sio_event.c $(failing_alloc)
tests_unit_test_sio_event_LDADD = $(unit_ldadd)
tests_unit_test_sio_event_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_names
tests_unit_test_sio_names_SOURCES = tests/unit/test_sio_names.c $(failing_alloc)
tests_unit_test_sio_names_LDADD = $(unit_ldadd)
tests_unit_test_sio_names_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_changes
tests_unit_test_sio_changes_SOURCES = tests/unit/test_sio_changes.c tests/unit/sio_world.h tests/unit/http_client.h $(live_world) $(failing_alloc)
tests_unit_test_sio_changes_LDADD = $(unit_ldadd)
tests_unit_test_sio_changes_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_client
tests_unit_test_sio_client_SOURCES = tests/unit/test_sio_client.c tests/unit/sio_world.h tests/unit/http_client.h $(live_world) $(failing_alloc)
tests_unit_test_sio_client_LDADD = $(unit_ldadd)
tests_unit_test_sio_client_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_connect
tests_unit_test_sio_connect_SOURCES = tests/unit/test_sio_connect.c tests/unit/tokens.h tests/unit/sio_world.h tests/unit/http_client.h $(live_world) $(failing_alloc)
tests_unit_test_sio_connect_LDADD = $(unit_ldadd)
tests_unit_test_sio_connect_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_events
tests_unit_test_sio_events_SOURCES = tests/unit/test_sio_events.c tests/unit/sio_world.h tests/unit/http_client.h $(live_world) $(failing_alloc)
tests_unit_test_sio_events_LDADD = $(unit_ldadd)
tests_unit_test_sio_events_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_refusal
tests_unit_test_sio_refusal_SOURCES = tests/unit/test_sio_refusal.c tests/unit/sio_world.h tests/unit/http_client.h $(live_world)
tests_unit_test_sio_refusal_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_sio_rejoin
tests_unit_test_sio_rejoin_SOURCES = tests/unit/test_sio_rejoin.c tests/unit/sio_world.h tests/unit/http_client.h $(live_world) $(failing_alloc)
tests_unit_test_sio_rejoin_LDADD = $(unit_ldadd)
tests_unit_test_sio_rejoin_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_memory
tests_unit_test_sio_memory_SOURCES = tests/unit/test_sio_memory.c $(failing_alloc)
tests_unit_test_sio_memory_LDADD = $(unit_ldadd)
tests_unit_test_sio_memory_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_recovery
tests_unit_test_sio_recovery_SOURCES = tests/unit/test_sio_recovery.c $(failing_alloc)
tests_unit_test_sio_recovery_LDADD = $(unit_ldadd)
tests_unit_test_sio_recovery_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_sio_packet
tests_unit_test_sio_packet_SOURCES = tests/unit/test_sio_packet.c $(failing_alloc)
tests_unit_test_sio_packet_LDADD = $(unit_ldadd)
tests_unit_test_sio_packet_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_lent_name
tests_unit_test_lent_name_SOURCES = tests/unit/test_lent_name.c $(failing_alloc)
tests_unit_test_lent_name_LDADD = $(unit_ldadd)
tests_unit_test_lent_name_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_channels
tests_unit_test_channels_SOURCES = tests/unit/test_channels.c $(live_world) $(failing_alloc)
tests_unit_test_channels_LDADD = $(unit_ldadd)
tests_unit_test_channels_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_channel_api
tests_unit_test_channel_api_SOURCES = tests/unit/test_channel_api.c $(live_world)
tests_unit_test_channel_api_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_lease
tests_unit_test_lease_SOURCES = tests/unit/test_lease.c $(live_world) $(failing_alloc)
tests_unit_test_lease_LDADD = $(unit_ldadd)
tests_unit_test_lease_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_report_api
tests_unit_test_report_api_SOURCES = tests/unit/test_report_api.c tests/unit/check_report.h
tests_unit_test_report_api_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_report
tests_unit_test_report_SOURCES = tests/unit/test_report.c tests/unit/check_report.h $(failing_alloc)
tests_unit_test_report_LDADD = $(unit_ldadd)
tests_unit_test_report_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_code
tests_unit_test_code_SOURCES = tests/unit/test_code.c
tests_unit_test_code_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_texts
tests_unit_test_texts_SOURCES = tests/unit/test_texts.c
tests_unit_test_texts_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_report_quota
tests_unit_test_report_quota_SOURCES = tests/unit/test_report_quota.c $(failing_alloc)
tests_unit_test_report_quota_LDADD = $(unit_ldadd)
tests_unit_test_report_quota_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_store
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(failing_alloc)
tests_unit_test_store_LDADD = $(unit_ldadd)
tests_unit_test_store_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_cluster
tests_unit_test_cluster_SOURCES = tests/unit/test_cluster.c $(failing_alloc)
tests_unit_test_cluster_LDADD = $(unit_ldadd)
tests_unit_test_cluster_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_demo
tests_unit_test_demo_SOURCES = tests/unit/test_demo.c $(failing_alloc)
tests_unit_test_demo_LDADD = $(unit_ldadd)
tests_unit_test_demo_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_feeds
tests_unit_test_feeds_SOURCES = tests/unit/test_feeds.c $(failing_alloc)
tests_unit_test_feeds_LDADD = $(unit_ldadd)
tests_unit_test_feeds_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_obstacle_head
tests_unit_test_obstacle_head_SOURCES = tests/unit/test_obstacle_head.c
tests_unit_test_obstacle_head_LDADD = libobstacle.a $(unit_ldadd)

unit_tests += tests/unit/test_obstacle_body
tests_unit_test_obstacle_body_SOURCES = tests/unit/test_obstacle_body.c
tests_unit_test_obstacle_body_LDADD = libobstacle.a $(unit_ldadd)

unit_tests += tests/unit/test_obstacle_fault
tests_unit_test_obstacle_fault_SOURCES = tests/unit/test_obstacle_fault.c
tests_unit_test_obstacle_fault_LDADD = libobstacle.a $(unit_ldadd)

unit_tests += tests/unit/test_obstacle_events
tests_unit_test_obstacle_events_SOURCES = tests/unit/test_obstacle_events.c
tests_unit_test_obstacle_events_LDADD = libobstacle.a $(unit_ldadd)

unit_tests += tests/unit/test_obstacle_frames
tests_unit_test_obstacle_frames_SOURCES = tests/unit/test_obstacle_frames.c
tests_unit_test_obstacle_frames_LDADD = libobstacle.a $(unit_ldadd)

unit_tests += tests/unit/test_obstacle_queue
tests_unit_test_obstacle_queue_SOURCES = tests/unit/test_obstacle_queue.c
tests_unit_test_obstacle_queue_LDADD = libobstacle.a $(unit_ldadd)

if HAVE_CUNIT
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

unit_tests += tests/unit/test_bus_read
tests_unit_test_bus_read_SOURCES = tests/unit/test_bus_read.c
tests_unit_test_bus_read_LDADD = $(unit_ldadd)
tests_unit_test_bus_read_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_eio_packet
tests_unit_test_eio_packet_SOURCES = tests/unit/test_eio_packet.c
tests_unit_test_eio_packet_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_query
tests_unit_test_eio_query_SOURCES = tests/unit/test_eio_query.c
tests_unit_test_eio_query_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_encoders
tests_unit_test_eio_encoders_SOURCES = tests/unit/test_eio_encoders.c
tests_unit_test_eio_encoders_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_reply
tests_unit_test_eio_reply_SOURCES = tests/unit/test_eio_reply.c
tests_unit_test_eio_reply_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_moved
tests_unit_test_eio_moved_SOURCES = tests/unit/test_eio_moved.c tests/unit/eio_world.h $(live_world)
tests_unit_test_eio_moved_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_polling
tests_unit_test_eio_polling_SOURCES = tests/unit/test_eio_polling.c tests/unit/eio_world.h $(live_world)
tests_unit_test_eio_polling_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_probe
tests_unit_test_eio_probe_SOURCES = tests/unit/test_eio_probe.c tests/unit/eio_knock.h tests/unit/eio_world.h $(live_world)
tests_unit_test_eio_probe_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_raw
tests_unit_test_eio_raw_SOURCES = tests/unit/test_eio_raw.c tests/unit/eio_world.h $(live_world)
tests_unit_test_eio_raw_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_session
tests_unit_test_eio_session_SOURCES = tests/unit/test_eio_session.c tests/unit/eio_world.h $(live_world) $(failing_alloc)
tests_unit_test_eio_session_LDADD = $(unit_ldadd)
tests_unit_test_eio_session_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_eio_socket
tests_unit_test_eio_socket_SOURCES = tests/unit/test_eio_socket.c tests/unit/eio_world.h $(live_world)
tests_unit_test_eio_socket_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_upgrade
tests_unit_test_eio_upgrade_SOURCES = tests/unit/test_eio_upgrade.c tests/unit/eio_knock.h tests/unit/eio_world.h \
  tests/unit/held_backend.h tests/unit/tokens.h $(live_world)
tests_unit_test_eio_upgrade_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_eio_websocket
tests_unit_test_eio_websocket_SOURCES = tests/unit/test_eio_websocket.c tests/unit/eio_world.h $(live_world)
tests_unit_test_eio_websocket_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_cursor
tests_unit_test_cursor_SOURCES = tests/unit/test_cursor.c
tests_unit_test_cursor_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_records_model
tests_unit_test_records_model_SOURCES = tests/unit/test_records_model.c
tests_unit_test_records_model_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_records
tests_unit_test_records_SOURCES = tests/unit/test_records.c $(failing_alloc)
tests_unit_test_records_LDADD = $(unit_ldadd)
tests_unit_test_records_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_memory
tests_unit_test_memory_SOURCES = tests/unit/test_memory.c $(failing_alloc)
tests_unit_test_memory_LDADD = $(unit_ldadd)
tests_unit_test_memory_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_backends
tests_unit_test_backends_SOURCES = tests/unit/test_backends.c $(failing_alloc)
tests_unit_test_backends_LDADD = $(unit_ldadd)
tests_unit_test_backends_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_slow
tests_unit_test_slow_SOURCES = tests/unit/test_slow.c $(slow_backend) $(failing_alloc)
tests_unit_test_slow_LDADD = $(unit_ldadd)
tests_unit_test_slow_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_incoming
tests_unit_test_incoming_SOURCES = tests/unit/test_incoming.c $(live_world) tests/unit/http_client.h
tests_unit_test_incoming_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_relay
tests_unit_test_relay_SOURCES = tests/unit/test_relay.c $(live_world) tests/unit/http_client.h
tests_unit_test_relay_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_visit
tests_unit_test_visit_SOURCES = tests/unit/test_visit.c tests/unit/visit_family.h tests/unit/http_client.h \
  $(live_world) $(failing_alloc)
tests_unit_test_visit_LDADD = $(unit_ldadd)
tests_unit_test_visit_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_preflight
tests_unit_test_preflight_SOURCES = tests/unit/test_preflight.c tests/unit/read_head.h tests/unit/visit_family.h
tests_unit_test_preflight_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_ws_stream
tests_unit_test_ws_stream_SOURCES = tests/unit/test_ws_stream.c tests/unit/visit_family.h tests/unit/http_client.h $(live_world)
tests_unit_test_ws_stream_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_family_route
tests_unit_test_family_route_SOURCES = tests/unit/test_family_route.c tests/unit/visit_family.h tests/unit/http_client.h \
  tests/unit/tokens.h $(live_world)
tests_unit_test_family_route_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_visit_threads
tests_unit_test_visit_threads_SOURCES = tests/unit/test_visit_threads.c tests/unit/visit_family.h tests/unit/http_client.h $(live_world)
tests_unit_test_visit_threads_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_serve
tests_unit_test_serve_SOURCES = tests/unit/test_serve.c $(live_world) tests/unit/http_client.h tests/unit/tokens.h \
  $(failing_alloc)
tests_unit_test_serve_LDADD = $(unit_ldadd)
tests_unit_test_serve_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_connection
tests_unit_test_connection_SOURCES = tests/unit/test_connection.c $(slow_backend) $(live_world) tests/unit/http_client.h tests/unit/held_backend.h
tests_unit_test_connection_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_exchange
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c $(live_world) tests/unit/http_client.h
tests_unit_test_exchange_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_respond
tests_unit_test_respond_SOURCES = tests/unit/test_respond.c $(live_world) tests/unit/http_client.h
tests_unit_test_respond_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_front
tests_unit_test_front_SOURCES = tests/unit/test_front.c $(live_world) tests/unit/http_client.h $(failing_alloc)
tests_unit_test_front_LDADD = $(unit_ldadd)
tests_unit_test_front_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_worker
tests_unit_test_worker_SOURCES = tests/unit/test_worker.c $(live_world) tests/unit/http_client.h $(failing_alloc)
tests_unit_test_worker_LDADD = $(unit_ldadd)
tests_unit_test_worker_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_settings
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c $(failing_alloc)
tests_unit_test_settings_LDADD = $(unit_ldadd)
tests_unit_test_settings_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_coding
tests_unit_test_coding_SOURCES = tests/unit/test_coding.c
tests_unit_test_coding_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_static
tests_unit_test_static_SOURCES = tests/unit/test_static.c $(live_world) tests/unit/http_client.h $(failing_alloc)
tests_unit_test_static_LDADD = $(unit_ldadd)
tests_unit_test_static_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_routes
tests_unit_test_routes_SOURCES = tests/unit/test_routes.c
tests_unit_test_routes_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_api_info
tests_unit_test_api_info_SOURCES = tests/unit/test_api_info.c $(live_world) tests/unit/http_client.h
tests_unit_test_api_info_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_pace
tests_unit_test_pace_SOURCES = tests/unit/test_pace.c $(live_world) $(failing_alloc)
tests_unit_test_pace_LDADD = $(unit_ldadd)
tests_unit_test_pace_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_catch_up
tests_unit_test_catch_up_SOURCES = tests/unit/test_catch_up.c $(live_world) $(failing_alloc)
tests_unit_test_catch_up_LDADD = $(unit_ldadd)
tests_unit_test_catch_up_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_framing
tests_unit_test_framing_SOURCES = tests/unit/test_framing.c $(failing_alloc)
tests_unit_test_framing_LDADD = $(unit_ldadd)
tests_unit_test_framing_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_join
tests_unit_test_join_SOURCES = tests/unit/test_join.c tests/unit/labels.h $(live_world) $(failing_alloc)
tests_unit_test_join_LDADD = $(unit_ldadd)
tests_unit_test_join_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_delivery
tests_unit_test_delivery_SOURCES = tests/unit/test_delivery.c $(live_world) tests/unit/held_backend.h
tests_unit_test_delivery_LDADD = $(unit_ldadd)
tests_unit_test_delivery_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sl_bus_read,--wrap=sl_bus_attach

unit_tests += tests/unit/test_fanout
tests_unit_test_fanout_SOURCES = tests/unit/test_fanout.c $(live_world) $(failing_alloc)
tests_unit_test_fanout_LDADD = $(unit_ldadd)
tests_unit_test_fanout_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_session
tests_unit_test_session_SOURCES = tests/unit/test_session.c tests/unit/session_world.h $(live_world) \
  $(failing_alloc)
tests_unit_test_session_LDADD = $(unit_ldadd)
tests_unit_test_session_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_session_table
tests_unit_test_session_table_SOURCES = tests/unit/test_session_table.c tests/unit/session_world.h $(live_world)
tests_unit_test_session_table_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_heartbeat
tests_unit_test_heartbeat_SOURCES = tests/unit/test_heartbeat.c $(live_world)
tests_unit_test_heartbeat_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_outbox
tests_unit_test_outbox_SOURCES = tests/unit/test_outbox.c $(failing_alloc)
tests_unit_test_outbox_LDADD = $(unit_ldadd)
tests_unit_test_outbox_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_share
tests_unit_test_share_SOURCES = tests/unit/test_share.c $(failing_alloc)
tests_unit_test_share_LDADD = $(unit_ldadd)
tests_unit_test_share_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_intake
tests_unit_test_intake_SOURCES = tests/unit/test_intake.c $(live_world) $(tls_client) $(failing_alloc) tests/unit/http_client.h tests/unit/https_client.h
tests_unit_test_intake_LDADD = $(unit_ldadd)
tests_unit_test_intake_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_link
tests_unit_test_link_SOURCES = tests/unit/test_link.c $(live_world) $(failing_alloc)
tests_unit_test_link_LDADD = $(unit_ldadd)
tests_unit_test_link_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_subscriber
tests_unit_test_subscriber_SOURCES = tests/unit/test_subscriber.c $(live_world) $(failing_alloc) tests/unit/held_backend.h
tests_unit_test_subscriber_LDADD = $(unit_ldadd)
tests_unit_test_subscriber_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_subscriber_end
tests_unit_test_subscriber_end_SOURCES = tests/unit/test_subscriber_end.c $(live_world) $(failing_alloc) tests/unit/held_backend.h
tests_unit_test_subscriber_end_LDADD = $(unit_ldadd)
tests_unit_test_subscriber_end_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_longpoll
tests_unit_test_longpoll_SOURCES = tests/unit/test_longpoll.c $(live_world) $(failing_alloc)
tests_unit_test_longpoll_LDADD = $(unit_ldadd)
tests_unit_test_longpoll_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_answer
tests_unit_test_answer_SOURCES = tests/unit/test_answer.c tests/unit/labels.h $(live_world) $(failing_alloc)
tests_unit_test_answer_LDADD = $(unit_ldadd)
tests_unit_test_answer_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_subscriptions
tests_unit_test_subscriptions_SOURCES = tests/unit/test_subscriptions.c tests/unit/labels.h $(live_world) $(failing_alloc)
tests_unit_test_subscriptions_LDADD = $(unit_ldadd)
tests_unit_test_subscriptions_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_verbs
tests_unit_test_verbs_SOURCES = tests/unit/test_verbs.c $(live_world) $(failing_alloc)
tests_unit_test_verbs_LDADD = $(unit_ldadd)
tests_unit_test_verbs_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_permit
tests_unit_test_permit_SOURCES = tests/unit/test_permit.c $(live_world)
tests_unit_test_permit_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_refusal
tests_unit_test_refusal_SOURCES = tests/unit/test_refusal.c
tests_unit_test_refusal_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_publication
tests_unit_test_publication_SOURCES = tests/unit/test_publication.c $(live_world) $(failing_alloc)
tests_unit_test_publication_LDADD = $(unit_ldadd)
tests_unit_test_publication_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_crypto_sha256

unit_tests += tests/unit/test_outage
tests_unit_test_outage_SOURCES = tests/unit/test_outage.c $(live_world)
tests_unit_test_outage_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_kernel_memory
tests_unit_test_kernel_memory_SOURCES = tests/unit/test_kernel_memory.c $(live_world)
tests_unit_test_kernel_memory_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_shard
tests_unit_test_shard_SOURCES = tests/unit/test_shard.c $(live_world) $(failing_alloc)
tests_unit_test_shard_LDADD = $(unit_ldadd)
tests_unit_test_shard_LDFLAGS = $(failing_ldflags)

EXTRA_DIST += tests/unit/certificates.h

unit_tests += tests/unit/test_tls_file
tests_unit_test_tls_file_SOURCES = tests/unit/test_tls_file.c $(failing_alloc)
tests_unit_test_tls_file_LDADD = $(unit_ldadd)
tests_unit_test_tls_file_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_tls_names
tests_unit_test_tls_names_SOURCES = tests/unit/test_tls_names.c $(failing_alloc)
tests_unit_test_tls_names_LDADD = $(unit_ldadd)
tests_unit_test_tls_names_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_tls_groups
tests_unit_test_tls_groups_SOURCES = tests/unit/test_tls_groups.c $(failing_alloc)
tests_unit_test_tls_groups_LDADD = $(unit_ldadd)
tests_unit_test_tls_groups_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_tls_pair
tests_unit_test_tls_pair_SOURCES = tests/unit/test_tls_pair.c $(failing_alloc)
tests_unit_test_tls_pair_LDADD = $(unit_ldadd)
tests_unit_test_tls_pair_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_tls_tickets
tests_unit_test_tls_tickets_SOURCES = tests/unit/test_tls_tickets.c $(failing_alloc)
tests_unit_test_tls_tickets_LDADD = $(unit_ldadd)
tests_unit_test_tls_tickets_LDFLAGS = $(failing_ldflags) \
  -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_tls_context
tests_unit_test_tls_context_SOURCES = tests/unit/test_tls_context.c $(failing_alloc)
tests_unit_test_tls_context_LDADD = $(unit_ldadd)
tests_unit_test_tls_context_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_clock_monotonic_ms

unit_tests += tests/unit/test_tls_loading
tests_unit_test_tls_loading_SOURCES = tests/unit/test_tls_loading.c
tests_unit_test_tls_loading_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_registry
tests_unit_test_registry_SOURCES = tests/unit/test_registry.c
tests_unit_test_registry_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_families
tests_unit_test_families_SOURCES = tests/unit/test_families.c
tests_unit_test_families_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_sse
tests_unit_test_sse_SOURCES = tests/unit/test_sse.c $(live_world) $(failing_alloc)
tests_unit_test_sse_LDADD = $(unit_ldadd)
tests_unit_test_sse_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_stream
tests_unit_test_stream_SOURCES = tests/unit/test_stream.c $(live_world) $(failing_alloc)
tests_unit_test_stream_LDADD = $(unit_ldadd)
tests_unit_test_stream_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_tls
tests_unit_test_tls_SOURCES = tests/unit/test_tls.c $(tls_client) $(failing_alloc)
tests_unit_test_tls_LDADD = $(unit_ldadd)
tests_unit_test_tls_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_tls_shard
tests_unit_test_tls_shard_SOURCES = tests/unit/test_tls_shard.c $(failing_alloc)
tests_unit_test_tls_shard_LDADD = $(unit_ldadd)
tests_unit_test_tls_shard_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_tls_bytes
tests_unit_test_tls_bytes_SOURCES = tests/unit/test_tls_bytes.c $(failing_alloc)
tests_unit_test_tls_bytes_LDADD = $(unit_ldadd)
tests_unit_test_tls_bytes_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_handshake
tests_unit_test_handshake_SOURCES = tests/unit/test_handshake.c $(live_world) $(tls_client) \
  tests/unit/https_client.h tests/unit/http_client.h $(failing_alloc)
tests_unit_test_handshake_LDADD = $(unit_ldadd)
tests_unit_test_handshake_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_https
tests_unit_test_https_SOURCES = tests/unit/test_https.c $(live_world) $(tls_client) \
  tests/unit/https_client.h tests/unit/http_client.h tests/unit/ws_bytes.h
tests_unit_test_https_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_base64url
tests_unit_test_base64url_SOURCES = tests/unit/test_base64url.c $(failing_alloc)
tests_unit_test_base64url_LDADD = $(unit_ldadd)
tests_unit_test_base64url_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_strict_json
tests_unit_test_strict_json_SOURCES = tests/unit/test_strict_json.c $(failing_alloc)
tests_unit_test_strict_json_LDADD = $(unit_ldadd)
tests_unit_test_strict_json_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_key
tests_unit_test_key_SOURCES = tests/unit/test_key.c tests/unit/jose.h $(failing_alloc)
tests_unit_test_key_LDADD = $(unit_ldadd)
tests_unit_test_key_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_jwk
tests_unit_test_jwk_SOURCES = tests/unit/test_jwk.c tests/unit/jose.h $(failing_alloc)
tests_unit_test_jwk_LDADD = $(unit_ldadd)
tests_unit_test_jwk_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_jws
tests_unit_test_jws_SOURCES = tests/unit/test_jws.c tests/unit/jose.h $(failing_alloc)
tests_unit_test_jws_LDADD = $(unit_ldadd)
tests_unit_test_jws_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_key_file
tests_unit_test_key_file_SOURCES = tests/unit/test_key_file.c tests/unit/jose.h $(failing_alloc)
tests_unit_test_key_file_LDADD = $(unit_ldadd)
tests_unit_test_key_file_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_claims
tests_unit_test_claims_SOURCES = tests/unit/test_claims.c $(failing_alloc)
tests_unit_test_claims_LDADD = $(unit_ldadd)
tests_unit_test_claims_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_secret
tests_unit_test_secret_SOURCES = tests/unit/test_secret.c $(failing_alloc)
tests_unit_test_secret_LDADD = $(unit_ldadd)
tests_unit_test_secret_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_auth
tests_unit_test_auth_SOURCES = tests/unit/test_auth.c tests/unit/jose.h $(both_backends) $(failing_alloc)
tests_unit_test_auth_LDADD = $(unit_ldadd)
tests_unit_test_auth_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_auth_loading
tests_unit_test_auth_loading_SOURCES = tests/unit/test_auth_loading.c $(both_backends) $(failing_alloc)
tests_unit_test_auth_loading_LDADD = $(unit_ldadd)
tests_unit_test_auth_loading_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_token_command
tests_unit_test_token_command_SOURCES = tests/unit/test_token_command.c tests/unit/jose.h $(failing_alloc)
tests_unit_test_token_command_LDADD = $(unit_ldadd)
tests_unit_test_token_command_LDFLAGS = $(failing_ldflags)

# A double of auth/auth.c, with clocks that the test sets.
auth_double_ldflags = $(failing_ldflags) -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms \
  -Wl,--wrap=sl_auth_ref,--wrap=sl_auth_unref,--wrap=sl_auth_get_anonymous \
  -Wl,--wrap=sl_auth_verify_token,--wrap=sl_auth_verify_ticket
EXTRA_DIST += tests/unit/auth_double.h

unit_tests += tests/unit/test_pattern
tests_unit_test_pattern_SOURCES = tests/unit/test_pattern.c $(failing_alloc)
tests_unit_test_pattern_LDADD = $(unit_ldadd)
tests_unit_test_pattern_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_principal
tests_unit_test_principal_SOURCES = tests/unit/test_principal.c
tests_unit_test_principal_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_principals
tests_unit_test_principals_SOURCES = tests/unit/test_principals.c $(failing_alloc)
tests_unit_test_principals_LDADD = $(unit_ldadd)
tests_unit_test_principals_LDFLAGS = $(auth_double_ldflags)

unit_tests += tests/unit/test_holder
tests_unit_test_holder_SOURCES = tests/unit/test_holder.c $(failing_alloc)
tests_unit_test_holder_LDADD = $(unit_ldadd)
tests_unit_test_holder_LDFLAGS = $(auth_double_ldflags)

unit_tests += tests/unit/test_revocations
tests_unit_test_revocations_SOURCES = tests/unit/test_revocations.c $(failing_alloc)
tests_unit_test_revocations_LDADD = $(unit_ldadd)
tests_unit_test_revocations_LDFLAGS = $(failing_ldflags)

check_PROGRAMS += tests/unit/verify_cost
tests_unit_verify_cost_SOURCES = tests/unit/verify_cost.c tests/unit/jose.h

unit_tests += tests/unit/test_revocation_file
tests_unit_test_revocation_file_SOURCES = tests/unit/test_revocation_file.c $(failing_alloc)
tests_unit_test_revocation_file_LDADD = $(unit_ldadd)
tests_unit_test_revocation_file_LDFLAGS = $(failing_ldflags)

unit_tests += tests/unit/test_signals
tests_unit_test_signals_SOURCES = tests/unit/test_signals.c
tests_unit_test_signals_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_ticket
tests_unit_test_ticket_SOURCES = tests/unit/test_ticket.c $(failing_alloc)
tests_unit_test_ticket_LDADD = $(unit_ldadd)
tests_unit_test_ticket_LDFLAGS = $(failing_ldflags) -Wl,--wrap=sl_auth_get_ticket_key

EXTRA_DIST += tests/unit/nats_place.h tests/unit/nats_gateway.h
if NATS
unit_tests += tests/unit/test_nats_nkey
tests_unit_test_nats_nkey_SOURCES = tests/unit/test_nats_nkey.c
tests_unit_test_nats_nkey_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_stream_info
tests_unit_test_nats_stream_info_SOURCES = tests/unit/test_nats_stream_info.c
tests_unit_test_nats_stream_info_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_loop
tests_unit_test_nats_loop_SOURCES = tests/unit/test_nats_loop.c $(nats_server)
tests_unit_test_nats_loop_LDADD = $(unit_ldadd)
tests_unit_test_nats_loop_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=natsOptions_SetEventLoop \
  -Wl,--wrap=natsConnection_ProcessReadEvent,--wrap=natsConnection_ProcessWriteEvent

unit_tests += tests/unit/test_nats_login
tests_unit_test_nats_login_SOURCES = tests/unit/test_nats_login.c $(nats_server)
tests_unit_test_nats_login_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_client
tests_unit_test_nats_client_SOURCES = tests/unit/test_nats_client.c $(nats_server)
tests_unit_test_nats_client_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_stream
tests_unit_test_nats_stream_SOURCES = tests/unit/test_nats_stream.c $(nats_server)
tests_unit_test_nats_stream_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_inquiry
tests_unit_test_nats_inquiry_SOURCES = tests/unit/test_nats_inquiry.c $(nats_server)
tests_unit_test_nats_inquiry_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_stay
tests_unit_test_nats_stay_SOURCES = tests/unit/test_nats_stay.c $(nats_server)
tests_unit_test_nats_stay_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_worker
tests_unit_test_nats_worker_SOURCES = tests/unit/test_nats_worker.c $(nats_server)
tests_unit_test_nats_worker_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_backend
tests_unit_test_nats_backend_SOURCES = tests/unit/test_nats_backend.c $(nats_server)
tests_unit_test_nats_backend_LDADD = $(unit_ldadd)
endif

EXTRA_DIST += tests/unit/nats_world.h
if NATS
unit_tests += tests/unit/test_nats_envelope
tests_unit_test_nats_envelope_SOURCES = tests/unit/test_nats_envelope.c
tests_unit_test_nats_envelope_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_waste
tests_unit_test_nats_waste_SOURCES = tests/unit/test_nats_waste.c
tests_unit_test_nats_waste_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_inbox
tests_unit_test_nats_inbox_SOURCES = tests/unit/test_nats_inbox.c $(nats_server)
tests_unit_test_nats_inbox_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_notices
tests_unit_test_nats_notices_SOURCES = tests/unit/test_nats_notices.c $(nats_server)
tests_unit_test_nats_notices_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_publisher
tests_unit_test_nats_publisher_SOURCES = tests/unit/test_nats_publisher.c $(nats_server)
tests_unit_test_nats_publisher_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_sender
tests_unit_test_nats_sender_SOURCES = tests/unit/test_nats_sender.c $(nats_server)
tests_unit_test_nats_sender_LDADD = $(unit_ldadd)
endif

unit_tests += tests/unit/test_nats_hearing
tests_unit_test_nats_hearing_SOURCES = tests/unit/test_nats_hearing.c
tests_unit_test_nats_hearing_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_ack
tests_unit_test_nats_ack_SOURCES = tests/unit/test_nats_ack.c
tests_unit_test_nats_ack_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_pending
tests_unit_test_nats_pending_SOURCES = tests/unit/test_nats_pending.c
tests_unit_test_nats_pending_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_names
tests_unit_test_nats_names_SOURCES = tests/unit/test_nats_names.c
tests_unit_test_nats_names_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_reply
tests_unit_test_nats_reply_SOURCES = tests/unit/test_nats_reply.c
tests_unit_test_nats_reply_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_resync
tests_unit_test_nats_resync_SOURCES = tests/unit/test_nats_resync.c tests/unit/nats_reader.h
tests_unit_test_nats_resync_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_rollback
tests_unit_test_nats_rollback_SOURCES = tests/unit/test_nats_rollback.c tests/unit/nats_reader.h
tests_unit_test_nats_rollback_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_headers
tests_unit_test_nats_headers_SOURCES = tests/unit/test_nats_headers.c
tests_unit_test_nats_headers_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_histories
tests_unit_test_nats_histories_SOURCES = tests/unit/test_nats_histories.c
tests_unit_test_nats_histories_LDADD = $(unit_ldadd)

unit_tests += tests/unit/test_nats_arrival
tests_unit_test_nats_arrival_SOURCES = tests/unit/test_nats_arrival.c $(failing_alloc)
tests_unit_test_nats_arrival_LDADD = $(unit_ldadd)
tests_unit_test_nats_arrival_LDFLAGS = $(failing_ldflags)

if NATS
forged_ldflags = -Wl,--wrap=natsSubscription_GetPending,--wrap=natsSubscription_NextMsg

unit_tests += tests/unit/test_nats_batch
tests_unit_test_nats_batch_SOURCES = tests/unit/test_nats_batch.c tests/unit/nats_forged.h $(failing_alloc)
tests_unit_test_nats_batch_LDADD = $(unit_ldadd)
tests_unit_test_nats_batch_LDFLAGS = $(failing_ldflags) $(forged_ldflags)

unit_tests += tests/unit/test_nats_tail
tests_unit_test_nats_tail_SOURCES = tests/unit/test_nats_tail.c tests/unit/nats_forged.h $(failing_alloc)
tests_unit_test_nats_tail_LDADD = $(unit_ldadd)
tests_unit_test_nats_tail_LDFLAGS = $(failing_ldflags) \
  -Wl,--wrap=sl_clock_wall_us,--wrap=sl_clock_monotonic_ms \
  -Wl,--wrap=natsConnection_SubscribeSync,--wrap=natsConnection_PublishString,--wrap=js_AddConsumer \
  -Wl,--wrap=natsSubscription_SetPendingLimits,--wrap=natsSubscription_Destroy $(forged_ldflags)
endif
