# files of transports
libsluice_a_SOURCES += \
  transports/poll_request.c transports/poll_request.h \
  transports/sse_event.c transports/sse_event.h \
  transports/ws_frame.c transports/ws_frame.h \
  transports/ws_handshake.c transports/ws_handshake.h \
  transports/ws_message.c transports/ws_message.h
