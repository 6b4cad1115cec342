# files of gateway/http
libsluice_a_SOURCES += \
  gateway/http/metrics_text.c gateway/http/metrics_text.h \
  gateway/http/params.c gateway/http/params.h
