# What becomes of the figures.
libbench_a_SOURCES += \
  bench/results/cluster.c bench/results/cluster.h \
  bench/results/figure.c bench/results/figure.h \
  bench/results/histogram.c bench/results/histogram.h \
  bench/results/html.c bench/results/html.h \
  bench/results/machine.c bench/results/machine.h \
  bench/results/networks.c bench/results/networks.h \
  bench/results/progress.c bench/results/progress.h \
  bench/results/report.c bench/results/report.h \
  bench/results/statistics.c bench/results/statistics.h \
  bench/results/summary.c bench/results/summary.h \
  bench/results/table.c bench/results/table.h \
  bench/results/text.c
