# libFuzzer targets, built with: ./configure CC=clang --enable-fuzzing
fuzz_targets =
EXTRA_DIST += tests/fuzz/run_fuzz.sh
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer

fuzz_targets += tests/fuzz/fuzz_ws_reader
tests_fuzz_fuzz_ws_reader_SOURCES = tests/fuzz/fuzz_ws_reader.c
tests_fuzz_fuzz_ws_reader_LDFLAGS = $(fuzz_ldflags)
EXTRA_DIST += tests/fuzz/corpus/ws_reader
EXTRA_DIST += tests/fuzz/fuzz.h tests/fuzz/README.md tests/fuzz/corpus

fuzz_targets += tests/fuzz/fuzz_args
tests_fuzz_fuzz_args_SOURCES = tests/fuzz/fuzz_args.c
tests_fuzz_fuzz_args_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_cursor
tests_fuzz_fuzz_cursor_SOURCES = tests/fuzz/fuzz_cursor.c
tests_fuzz_fuzz_cursor_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_eio_packet
tests_fuzz_fuzz_eio_packet_SOURCES = tests/fuzz/fuzz_eio_packet.c
tests_fuzz_fuzz_eio_packet_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_params
tests_fuzz_fuzz_params_SOURCES = tests/fuzz/fuzz_params.c
tests_fuzz_fuzz_params_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_batch
tests_fuzz_fuzz_batch_SOURCES = tests/fuzz/fuzz_batch.c
tests_fuzz_fuzz_batch_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_content
tests_fuzz_fuzz_content_SOURCES = tests/fuzz/fuzz_content.c
tests_fuzz_fuzz_content_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_channel_name
tests_fuzz_fuzz_channel_name_SOURCES = tests/fuzz/fuzz_channel_name.c
tests_fuzz_fuzz_channel_name_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_coding
tests_fuzz_fuzz_coding_SOURCES = tests/fuzz/fuzz_coding.c
tests_fuzz_fuzz_coding_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_json
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c
tests_fuzz_fuzz_json_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_utf8
tests_fuzz_fuzz_utf8_SOURCES = tests/fuzz/fuzz_utf8.c
tests_fuzz_fuzz_utf8_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_reader
tests_fuzz_fuzz_reader_SOURCES = tests/fuzz/fuzz_reader.c
tests_fuzz_fuzz_reader_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_proxy_header
tests_fuzz_fuzz_proxy_header_SOURCES = tests/fuzz/fuzz_proxy_header.c
tests_fuzz_fuzz_proxy_header_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_forwarded
tests_fuzz_fuzz_forwarded_SOURCES = tests/fuzz/fuzz_forwarded.c
tests_fuzz_fuzz_forwarded_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_credentials
tests_fuzz_fuzz_credentials_SOURCES = tests/fuzz/fuzz_credentials.c
tests_fuzz_fuzz_credentials_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_redact
tests_fuzz_fuzz_redact_SOURCES = tests/fuzz/fuzz_redact.c
tests_fuzz_fuzz_redact_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_gate
tests_fuzz_fuzz_gate_SOURCES = tests/fuzz/fuzz_gate.c
tests_fuzz_fuzz_gate_LDFLAGS = $(fuzz_ldflags)

# libmicrohttpd's side of a relayed request.
fuzz_targets += tests/fuzz/fuzz_relay
tests_fuzz_fuzz_relay_SOURCES = tests/fuzz/fuzz_relay.c
tests_fuzz_fuzz_relay_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_message
tests_fuzz_fuzz_message_SOURCES = tests/fuzz/fuzz_message.c
tests_fuzz_fuzz_message_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_sse_event
tests_fuzz_fuzz_sse_event_SOURCES = tests/fuzz/fuzz_sse_event.c
tests_fuzz_fuzz_sse_event_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_protocol
tests_fuzz_fuzz_protocol_SOURCES = tests/fuzz/fuzz_protocol.c $(live_world)
tests_fuzz_fuzz_protocol_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_ws_connection
tests_fuzz_fuzz_ws_connection_SOURCES = tests/fuzz/fuzz_ws_connection.c $(live_world)
tests_fuzz_fuzz_ws_connection_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_ws_extension
tests_fuzz_fuzz_ws_extension_SOURCES = tests/fuzz/fuzz_ws_extension.c
tests_fuzz_fuzz_ws_extension_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_inflate
tests_fuzz_fuzz_inflate_SOURCES = tests/fuzz/fuzz_inflate.c
tests_fuzz_fuzz_inflate_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_wanted
tests_fuzz_fuzz_wanted_SOURCES = tests/fuzz/fuzz_wanted.c
tests_fuzz_fuzz_wanted_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_report
tests_fuzz_fuzz_report_SOURCES = tests/fuzz/fuzz_report.c
tests_fuzz_fuzz_report_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_obstacle_head
tests_fuzz_fuzz_obstacle_head_SOURCES = tests/fuzz/fuzz_obstacle_head.c
tests_fuzz_fuzz_obstacle_head_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_obstacle_head_LDADD = libobstacle.a $(LDADD)

fuzz_targets += tests/fuzz/fuzz_obstacle_faults
tests_fuzz_fuzz_obstacle_faults_SOURCES = tests/fuzz/fuzz_obstacle_faults.c
tests_fuzz_fuzz_obstacle_faults_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_obstacle_faults_LDADD = libobstacle.a $(LDADD)

fuzz_targets += tests/fuzz/fuzz_obstacle_messages
tests_fuzz_fuzz_obstacle_messages_SOURCES = tests/fuzz/fuzz_obstacle_messages.c
tests_fuzz_fuzz_obstacle_messages_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_obstacle_messages_LDADD = libobstacle.a $(LDADD)

# The socket's side of TLS, after the handshake.
fuzz_targets += tests/fuzz/fuzz_tls_input
tests_fuzz_fuzz_tls_input_SOURCES = tests/fuzz/fuzz_tls_input.c $(tls_client)
tests_fuzz_fuzz_tls_input_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_jwt
tests_fuzz_fuzz_jwt_SOURCES = tests/fuzz/fuzz_jwt.c tests/unit/jose.h
tests_fuzz_fuzz_jwt_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_jwks
tests_fuzz_fuzz_jwks_SOURCES = tests/fuzz/fuzz_jwks.c
tests_fuzz_fuzz_jwks_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_patterns
tests_fuzz_fuzz_patterns_SOURCES = tests/fuzz/fuzz_patterns.c
tests_fuzz_fuzz_patterns_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_sio_packet
tests_fuzz_fuzz_sio_packet_SOURCES = tests/fuzz/fuzz_sio_packet.c
tests_fuzz_fuzz_sio_packet_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_sio_recovery
tests_fuzz_fuzz_sio_recovery_SOURCES = tests/fuzz/fuzz_sio_recovery.c
tests_fuzz_fuzz_sio_recovery_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_ticket
tests_fuzz_fuzz_ticket_SOURCES = tests/fuzz/fuzz_ticket.c
tests_fuzz_fuzz_ticket_LDFLAGS = $(fuzz_ldflags) -Wl,--wrap=sl_auth_get_ticket_key

fuzz_targets += tests/fuzz/fuzz_access
tests_fuzz_fuzz_access_SOURCES = tests/fuzz/fuzz_access.c
tests_fuzz_fuzz_access_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_admin
tests_fuzz_fuzz_admin_SOURCES = tests/fuzz/fuzz_admin.c
tests_fuzz_fuzz_admin_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_etag
tests_fuzz_fuzz_etag_SOURCES = tests/fuzz/fuzz_etag.c
tests_fuzz_fuzz_etag_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_head_echo
tests_fuzz_fuzz_head_echo_SOURCES = tests/fuzz/fuzz_head_echo.c
tests_fuzz_fuzz_head_echo_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_tls_name
tests_fuzz_fuzz_tls_name_SOURCES = tests/fuzz/fuzz_tls_name.c
tests_fuzz_fuzz_tls_name_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_ws_handshake
tests_fuzz_fuzz_ws_handshake_SOURCES = tests/fuzz/fuzz_ws_handshake.c
tests_fuzz_fuzz_ws_handshake_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_revocation
tests_fuzz_fuzz_revocation_SOURCES = tests/fuzz/fuzz_revocation.c
tests_fuzz_fuzz_revocation_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_nats_ack
tests_fuzz_fuzz_nats_ack_SOURCES = tests/fuzz/fuzz_nats_ack.c
tests_fuzz_fuzz_nats_ack_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_nats_names
tests_fuzz_fuzz_nats_names_SOURCES = tests/fuzz/fuzz_nats_names.c
tests_fuzz_fuzz_nats_names_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_nats_reply
tests_fuzz_fuzz_nats_reply_SOURCES = tests/fuzz/fuzz_nats_reply.c
tests_fuzz_fuzz_nats_reply_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_nats_arrival
tests_fuzz_fuzz_nats_arrival_SOURCES = tests/fuzz/fuzz_nats_arrival.c
tests_fuzz_fuzz_nats_arrival_LDFLAGS = $(fuzz_ldflags)

fuzz_targets += tests/fuzz/fuzz_nats_headers
tests_fuzz_fuzz_nats_headers_SOURCES = tests/fuzz/fuzz_nats_headers.c
tests_fuzz_fuzz_nats_headers_LDFLAGS = $(fuzz_ldflags)

if FUZZING
noinst_PROGRAMS += $(fuzz_targets)
endif
