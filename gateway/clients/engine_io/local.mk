libsluice_a_SOURCES += \
  gateway/clients/engine_io/eio_packet.c gateway/clients/engine_io/eio_packet.h \
  gateway/clients/engine_io/eio_query.c gateway/clients/engine_io/eio_query.h \
  gateway/clients/engine_io/eio_socket.h
