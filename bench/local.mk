noinst_LIBRARIES += libbench.a
libbench_a_SOURCES = \
  bench/answer.c bench/answer.h \
  bench/load.c bench/load.h \
  bench/marker.c bench/marker.h \
  bench/options.h \
  bench/peer.h \
  bench/process.c bench/process.h \
  bench/publisher.c \
  bench/report.c bench/report.h \
  bench/row.c bench/row.h \
  bench/subscriber.c \
  bench/peers/floor.c \
  bench/peers/nchan.c \
  bench/peers/server.c \
  bench/peers/sluice.c

include bench/results/local.mk

noinst_PROGRAMS += sluice-bench
sluice_bench_SOURCES = bench/main.c
sluice_bench_CPPFLAGS = $(AM_CPPFLAGS) -DSLUICE_PEERS_DIR='"$(abs_top_srcdir)/bench/peers"'
sluice_bench_LDADD = libbench.a libsluice.a
EXTRA_DIST += bench/peers/nchan.conf.in
