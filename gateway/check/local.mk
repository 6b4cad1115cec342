libsluice_a_SOURCES += \
  gateway/check/channels.c gateway/check/channels.h \
  gateway/check/channel_api.c gateway/check/channel_api.h \
  gateway/check/check_routes.c gateway/check/check_routes.h \
  gateway/check/report_api.c gateway/check/report_api.h
