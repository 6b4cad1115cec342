libsluice_a_SOURCES += \
  gateway/auth/auth.h \
  gateway/auth/jwk.c gateway/auth/jwk.h \
  gateway/auth/jws.c gateway/auth/jws.h \
  gateway/auth/key.c gateway/auth/key.h \
  gateway/auth/key_file.c gateway/auth/key_file.h \
  gateway/auth/pattern.h \
  gateway/auth/principal.h \
  gateway/auth/principals.h \
  gateway/auth/revocations.h \
  gateway/auth/secret.h \
  gateway/auth/strict_json.c gateway/auth/strict_json.h \
  gateway/auth/ticket.h
