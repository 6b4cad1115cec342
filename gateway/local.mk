bin_PROGRAMS += sluice
sluice_SOURCES = gateway/main.c

libsluice_a_SOURCES += \
  gateway/app.c gateway/app.h \
  gateway/auth_loading.c gateway/auth_loading.h \
  gateway/backend_loading.c gateway/backend_loading.h \
  gateway/backends.c \
  gateway/config/config.c gateway/config/config.h \
  gateway/config/option_values.c \
  gateway/config/options.c gateway/config/options.h \
  gateway/config/raise.c gateway/config/raise.h \
  gateway/config/reread.c \
  gateway/config/value.c gateway/config/value.h \
  gateway/config/server_url.c gateway/config/server_url.h \
  gateway/config/listen_address.c gateway/config/listen_address.h \
  gateway/limits_loading.c gateway/limits_loading.h \
  gateway/listening.c gateway/listening.h \
  gateway/notices.c gateway/notices.h \
  gateway/signals.c gateway/signals.h \
  gateway/tls_loading.c gateway/tls_loading.h \
  gateway/token_command.c gateway/token_command.h \
  gateway/worker.c gateway/worker.h

include gateway/util/local.mk
include gateway/auth/local.mk
include gateway/bus/local.mk
include gateway/check/local.mk
include gateway/clients/local.mk
include gateway/core/local.mk
include gateway/demo/local.mk
include gateway/http/local.mk
include gateway/live/local.mk
