# What becomes of the figures.
libbench_a_SOURCES += \
  bench/results/histogram.c bench/results/histogram.h \
  bench/results/statistics.c bench/results/statistics.h
