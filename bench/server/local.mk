libbench_a_SOURCES += \
  bench/server/certificate.c bench/server/certificate.h \
  bench/server/nats.c bench/server/nats.h \
  bench/server/process.c bench/server/process.h \
  bench/server/signer.c bench/server/signer.h \
  bench/server/server.c bench/server/server.h \
  bench/server/target.c
