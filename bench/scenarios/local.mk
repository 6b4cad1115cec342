libbench_a_SOURCES += \
  bench/scenarios/registry.c \
  bench/scenarios/request.c
