libsluice_a_SOURCES += \
  gateway/bus/cursor.c gateway/bus/cursor.h
