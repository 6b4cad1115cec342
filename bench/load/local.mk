# The generator.
libbench_a_SOURCES += \
  bench/load/account.c bench/load/account.h \
  bench/load/beside.c bench/load/beside.h \
  bench/load/break_even.c bench/load/break_even.h \
  bench/load/bye.c bench/load/bye.h \
  bench/load/crowd.c bench/load/crowd.h \
  bench/load/exchanges.c bench/load/exchanges.h \
  bench/load/fetch.c bench/load/fetch.h \
  bench/load/files.c bench/load/files.h \
  bench/load/follower.c bench/load/follower.h \
  bench/load/frames.c bench/load/frames.h \
  bench/load/generator.c bench/load/generator.h \
  bench/load/generator_report.c \
  bench/load/hopper.c bench/load/hopper.h \
  bench/load/http.c bench/load/http.h \
  bench/load/publish.c \
  bench/load/reader.c \
  bench/load/scan.c bench/load/scan.h \
  bench/load/schedule.h \
  bench/load/stream.c bench/load/stream.h \
  bench/load/talk.c bench/load/talk.h \
  bench/load/tls.c bench/load/tls.h \
  bench/load/usage.c bench/load/usage.h \
  bench/load/wait.c bench/load/wait.h \
  bench/load/worker.c bench/load/worker.h
