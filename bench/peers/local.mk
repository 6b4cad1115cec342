libbench_a_SOURCES += \
  bench/peers/floor.c \
  bench/peers/nchan.c \
  bench/peers/registry.c \
  bench/peers/sluice.c
EXTRA_DIST += bench/peers/nchan.conf.in
