noinst_LIBRARIES += libbench.a
libbench_a_SOURCES = \
  bench/answer.c bench/answer.h \
  bench/load.c bench/load.h \
  bench/marker.c bench/marker.h \
  bench/options.h \
  bench/peer.h \
  bench/publisher.c \
  bench/report.c bench/report.h \
  bench/row.c bench/row.h \
  bench/scenario.h \
  bench/settings.h \
  bench/subscriber.c

include bench/load/local.mk
include bench/peers/local.mk
include bench/results/local.mk
include bench/scenarios/local.mk
include bench/server/local.mk

bench_ldadd = libbench.a $(LDADD) $(SSL_LIBS)

noinst_PROGRAMS += sluice-bench
sluice_bench_SOURCES = bench/main.c
sluice_bench_CPPFLAGS = $(AM_CPPFLAGS) -DSLUICE_PEERS_DIR='"$(abs_top_srcdir)/bench/peers"'
sluice_bench_LDADD = $(bench_ldadd)
