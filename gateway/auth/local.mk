libsluice_a_SOURCES += \
  gateway/auth/auth.h \
  gateway/auth/pattern.h \
  gateway/auth/principal.h \
  gateway/auth/principals.h \
  gateway/auth/revocations.h \
  gateway/auth/secret.h \
  gateway/auth/ticket.h
