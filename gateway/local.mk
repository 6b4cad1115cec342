bin_PROGRAMS += sluice
sluice_SOURCES = gateway/main.c

libsluice_a_SOURCES += \
  gateway/app.c gateway/app.h \
  gateway/config.c gateway/config.h \
  gateway/config_options.c gateway/config_options.h \
  gateway/config_reread.c \
  gateway/config_value.c gateway/config_value.h \
  gateway/listen_address.c gateway/listen_address.h \
  gateway/listening.c gateway/listening.h \
  gateway/settings.c gateway/settings.h \
  gateway/shard.c gateway/shard.h \
  gateway/transport.h

include gateway/util/local.mk
include gateway/bus/local.mk
include gateway/core/local.mk
include gateway/demo/local.mk
include gateway/http/local.mk
include gateway/live/local.mk
