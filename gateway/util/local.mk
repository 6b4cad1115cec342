libsluice_a_SOURCES += \
  gateway/util/base64.c gateway/util/base64.h \
  gateway/util/base64url.c gateway/util/base64url.h \
  gateway/util/buffer.c gateway/util/buffer.h \
  gateway/util/clock.c gateway/util/clock.h \
  gateway/util/crypto.c gateway/util/crypto.h \
  gateway/util/deflate.c gateway/util/deflate.h \
  gateway/util/digits.h \
  gateway/util/err.c gateway/util/err.h \
  gateway/util/hash.c gateway/util/hash.h \
  gateway/util/http_date.c gateway/util/http_date.h \
  gateway/util/json_check.c gateway/util/json_check.h \
  gateway/util/json_members.c gateway/util/json_members.h \
  gateway/util/limits.h \
  gateway/util/network.c gateway/util/network.h \
  gateway/util/origin.c gateway/util/origin.h \
  gateway/util/log.c gateway/util/log.h \
  gateway/util/metrics.c gateway/util/metrics.h \
  gateway/util/quote.c gateway/util/quote.h \
  gateway/util/redact.c gateway/util/redact.h \
  gateway/util/rota.c gateway/util/rota.h \
  gateway/util/scale.c gateway/util/scale.h \
  gateway/util/span.h \
  gateway/util/systemd.c gateway/util/systemd.h \
  gateway/util/table.h \
  gateway/util/tally.c gateway/util/tally.h \
  gateway/util/utf8.c gateway/util/utf8.h
