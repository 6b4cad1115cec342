libsluice_a_SOURCES += \
  transports/long_response.c transports/long_response.h \
  transports/longpoll.c \
  transports/poll_reply.c transports/poll_reply.h \
  transports/registry.c transports/registry.h \
  transports/sse.c \
  transports/sse_event.c transports/sse_event.h \
  transports/stream.c \
  transports/websocket.c \
  transports/ws_encoders.c transports/ws_encoders.h \
  transports/ws_extension.c transports/ws_extension.h \
  transports/ws_frame.c transports/ws_frame.h \
  transports/ws_handshake.c transports/ws_handshake.h \
  transports/ws_message.c transports/ws_message.h \
  transports/ws_stream.c transports/ws_stream.h
