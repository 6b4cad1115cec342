# files of transports
libsluice_a_SOURCES += \
  transports/ws_frame.c transports/ws_frame.h
libsluice_a_SOURCES += \
  transports/ws_message.c transports/ws_message.h
