libbench_a_SOURCES += \
  bench/scenarios/fanout.c \
  bench/scenarios/latency.c \
  bench/scenarios/registry.c \
  bench/scenarios/request.c
