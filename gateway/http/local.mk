# files of gateway/http
libsluice_a_SOURCES += \
  gateway/http/params.c gateway/http/params.h
  gateway/http/metrics_text.c gateway/http/metrics_text.h
