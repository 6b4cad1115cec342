libsluice_a_SOURCES += \
  gateway/clients/engine_io/eio_carrier.h \
  gateway/clients/engine_io/eio_encoders.c gateway/clients/engine_io/eio_encoders.h \
  gateway/clients/engine_io/eio_family.h \
  gateway/clients/engine_io/eio_moved.c gateway/clients/engine_io/eio_moved.h \
  gateway/clients/engine_io/eio_packet.c gateway/clients/engine_io/eio_packet.h \
  gateway/clients/engine_io/eio_polling.c gateway/clients/engine_io/eio_polling.h \
  gateway/clients/engine_io/eio_probe.c gateway/clients/engine_io/eio_probe.h \
  gateway/clients/engine_io/eio_query.c gateway/clients/engine_io/eio_query.h \
  gateway/clients/engine_io/eio_raw.c gateway/clients/engine_io/eio_raw.h \
  gateway/clients/engine_io/eio_reply.c gateway/clients/engine_io/eio_reply.h \
  gateway/clients/engine_io/eio_session.c gateway/clients/engine_io/eio_session.h \
  gateway/clients/engine_io/eio_socket.c gateway/clients/engine_io/eio_socket.h \
  gateway/clients/engine_io/eio_upgrade.c gateway/clients/engine_io/eio_upgrade.h \
  gateway/clients/engine_io/eio_websocket.c gateway/clients/engine_io/eio_websocket.h
