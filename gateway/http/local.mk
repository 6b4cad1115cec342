libsluice_a_SOURCES += \
  gateway/http/access.c gateway/http/access.h \
  gateway/http/api_admin.c gateway/http/api_admin.h \
  gateway/http/api_info.c gateway/http/api_info.h \
  gateway/http/api_probe.c gateway/http/api_probe.h \
  gateway/http/api_publish.c gateway/http/api_publish.h \
  gateway/http/api_ticket.c gateway/http/api_ticket.h \
  gateway/http/batch.c gateway/http/batch.h \
  gateway/http/body.c gateway/http/body.h \
  gateway/http/charge.c gateway/http/charge.h \
  gateway/http/coding.c gateway/http/coding.h \
  gateway/http/connection.c gateway/http/connection.h \
  gateway/http/content.c gateway/http/content.h \
  gateway/http/credentials.c gateway/http/credentials.h \
  gateway/http/etag.c gateway/http/etag.h \
  gateway/http/exchange.c gateway/http/exchange.h \
  gateway/http/forwarded.c gateway/http/forwarded.h \
  gateway/http/front.c gateway/http/front.h \
  gateway/http/gate.c gateway/http/gate.h \
  gateway/http/handshake.c gateway/http/handshake.h \
  gateway/http/head.c gateway/http/head.h \
  gateway/http/head_echo.c gateway/http/head_echo.h \
  gateway/http/http.h \
  gateway/http/incoming.c gateway/http/incoming.h \
  gateway/http/metrics_rows.c gateway/http/metrics_rows.h \
  gateway/http/metrics_text.c gateway/http/metrics_text.h \
  gateway/http/observer.h \
  gateway/http/params.c gateway/http/params.h \
  gateway/http/permission.c gateway/http/permission.h \
  gateway/http/preface.c gateway/http/preface.h \
  gateway/http/preflight.c gateway/http/preflight.h \
  gateway/http/proxy_header.c gateway/http/proxy_header.h \
  gateway/http/relay.c gateway/http/relay.h \
  gateway/http/reply.c gateway/http/reply.h \
  gateway/http/request.h \
  gateway/http/respond.c gateway/http/respond.h \
  gateway/http/response.c gateway/http/response.h \
  gateway/http/revocation.c gateway/http/revocation.h \
  gateway/http/route.c gateway/http/route.h \
  gateway/http/routes.c gateway/http/routes.h \
  gateway/http/serve.c gateway/http/serve.h \
  gateway/http/settings.c gateway/http/settings.h \
  gateway/http/static.c gateway/http/static.h \
  gateway/http/transport.h \
  gateway/http/trust.c gateway/http/trust.h \
  gateway/http/visit.c gateway/http/visit.h
