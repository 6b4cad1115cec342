libsluice_a_SOURCES += \
  gateway/http/access.c gateway/http/access.h \
  gateway/http/api_info.c gateway/http/api_info.h \
  gateway/http/api_probe.c gateway/http/api_probe.h \
  gateway/http/api_publish.c gateway/http/api_publish.h \
  gateway/http/dispatch.c gateway/http/dispatch.h \
  gateway/http/exchange.h \
  gateway/http/front.c gateway/http/front.h \
  gateway/http/handover.c gateway/http/handover.h \
  gateway/http/kept.c gateway/http/kept.h \
  gateway/http/metrics_text.c gateway/http/metrics_text.h \
  gateway/http/params.c gateway/http/params.h \
  gateway/http/plain_request.c gateway/http/plain_request.h \
  gateway/http/reply.c gateway/http/reply.h \
  gateway/http/request.c gateway/http/request.h \
  gateway/http/respond.c gateway/http/respond.h \
  gateway/http/router.c gateway/http/router.h \
  gateway/http/static.c gateway/http/static.h
