libsluice_a_SOURCES += \
  gateway/check/check_routes.c gateway/check/check_routes.h \
  gateway/check/report_api.c gateway/check/report_api.h
