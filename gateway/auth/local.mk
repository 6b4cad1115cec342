libsluice_a_SOURCES += \
  gateway/auth/auth.c gateway/auth/auth.h \
  gateway/auth/claims.c gateway/auth/claims.h \
  gateway/auth/holder.c \
  gateway/auth/jwk.c gateway/auth/jwk.h \
  gateway/auth/jws.c gateway/auth/jws.h \
  gateway/auth/key.c gateway/auth/key.h \
  gateway/auth/key_file.c gateway/auth/key_file.h \
  gateway/auth/pattern.c gateway/auth/pattern.h \
  gateway/auth/principal.c gateway/auth/principal.h \
  gateway/auth/principal_state.h \
  gateway/auth/principals.c gateway/auth/principals.h \
  gateway/auth/revocation_file.c gateway/auth/revocation_file.h \
  gateway/auth/revocations.c gateway/auth/revocations.h \
  gateway/auth/secret.c gateway/auth/secret.h \
  gateway/auth/strict_json.c gateway/auth/strict_json.h \
  gateway/auth/ticket.c gateway/auth/ticket.h
