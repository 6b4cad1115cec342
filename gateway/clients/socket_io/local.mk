libsluice_a_SOURCES += \
  gateway/clients/socket_io/sio_assembly.c gateway/clients/socket_io/sio_assembly.h \
  gateway/clients/socket_io/sio_changes.c gateway/clients/socket_io/sio_changes.h \
  gateway/clients/socket_io/sio_client.c gateway/clients/socket_io/sio_client.h \
  gateway/clients/socket_io/sio_connect.c gateway/clients/socket_io/sio_connect.h \
  gateway/clients/socket_io/sio_encoders.c gateway/clients/socket_io/sio_encoders.h \
  gateway/clients/socket_io/sio_event.c gateway/clients/socket_io/sio_event.h \
  gateway/clients/socket_io/sio_events.c gateway/clients/socket_io/sio_events.h \
  gateway/clients/socket_io/sio_family.h \
  gateway/clients/socket_io/sio_label.h \
  gateway/clients/socket_io/sio_memory.c gateway/clients/socket_io/sio_memory.h \
  gateway/clients/socket_io/sio_names.c gateway/clients/socket_io/sio_names.h \
  gateway/clients/socket_io/sio_packet.c gateway/clients/socket_io/sio_packet.h \
  gateway/clients/socket_io/sio_recovery.c gateway/clients/socket_io/sio_recovery.h \
  gateway/clients/socket_io/sio_refusal.c gateway/clients/socket_io/sio_refusal.h \
  gateway/clients/socket_io/sio_rejoin.c gateway/clients/socket_io/sio_rejoin.h
