# The generator.
libbench_a_SOURCES += \
  bench/load/http.c bench/load/http.h \
  bench/load/schedule.h \
  bench/load/stream.c bench/load/stream.h \
  bench/load/tls.c bench/load/tls.h \
  bench/load/usage.c bench/load/usage.h
