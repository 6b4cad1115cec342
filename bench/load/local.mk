# The generator.
libbench_a_SOURCES += \
  bench/load/account.c bench/load/account.h \
  bench/load/frames.c bench/load/frames.h \
  bench/load/generator.c bench/load/generator.h \
  bench/load/generator_report.c \
  bench/load/http.c bench/load/http.h \
  bench/load/publish.c \
  bench/load/reader.c \
  bench/load/schedule.h \
  bench/load/stream.c bench/load/stream.h \
  bench/load/tls.c bench/load/tls.h \
  bench/load/usage.c bench/load/usage.h \
  bench/load/worker.c bench/load/worker.h
