libsluice_a_SOURCES += \
  gateway/auth/auth.c gateway/auth/auth.h \
  gateway/auth/holder.c \
  gateway/auth/pattern.c gateway/auth/pattern.h \
  gateway/auth/principal.c gateway/auth/principal.h \
  gateway/auth/principal_state.h \
  gateway/auth/principals.c gateway/auth/principals.h \
  gateway/auth/revocations.c gateway/auth/revocations.h \
  gateway/auth/secret.h \
  gateway/auth/ticket.h
