libsluice_a_SOURCES += \
  gateway/bus/cursor.c gateway/bus/cursor.h \
  gateway/bus/message.c gateway/bus/message.h
