# What `scripts/demo --cluster` runs: NATS servers and gateways, killed and started as the page says.
noinst_PROGRAMS += sluice-cluster
sluice_cluster_SOURCES = bench/cluster/cluster.c bench/cluster/ports.c bench/cluster/ports.h \
  bench/cluster/process.c bench/cluster/process.h
sluice_cluster_LDADD = $(bench_ldadd)
