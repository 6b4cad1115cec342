# files of gateway/http
libsluice_a_SOURCES += \
  gateway/http/params.c gateway/http/params.h
