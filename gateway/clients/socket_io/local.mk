libsluice_a_SOURCES += \
  gateway/clients/socket_io/sio_assembly.c gateway/clients/socket_io/sio_assembly.h \
  gateway/clients/socket_io/sio_packet.c gateway/clients/socket_io/sio_packet.h
