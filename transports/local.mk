# files of transports
libsluice_a_SOURCES += \
  transports/ws_frame.c transports/ws_frame.h
