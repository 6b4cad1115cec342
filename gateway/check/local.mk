libsluice_a_SOURCES += \
  gateway/check/channels.c gateway/check/channels.h \
  gateway/check/channel_api.c gateway/check/channel_api.h \
  gateway/check/check_routes.c gateway/check/check_routes.h \
  gateway/check/code.c gateway/check/code.h \
  gateway/check/lent_name.c gateway/check/lent_name.h \
  gateway/check/report.c gateway/check/report.h \
  gateway/check/report_api.c gateway/check/report_api.h \
  gateway/check/report_quota.c gateway/check/report_quota.h \
  gateway/check/store.c gateway/check/store.h \
  gateway/check/texts.c gateway/check/texts.h
