libsluice_a_SOURCES += \
  gateway/clients/socket_io/sio_assembly.c gateway/clients/socket_io/sio_assembly.h \
  gateway/clients/socket_io/sio_label.h \
  gateway/clients/socket_io/sio_memory.c gateway/clients/socket_io/sio_memory.h \
  gateway/clients/socket_io/sio_packet.c gateway/clients/socket_io/sio_packet.h \
  gateway/clients/socket_io/sio_recovery.c gateway/clients/socket_io/sio_recovery.h
