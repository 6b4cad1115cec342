# The proof that nothing is lost when gateways and NATS servers die; minutes, so no part of `make check`.
# FAULTS=name,name chooses (see tests/cluster/run --list); CHECK_CLUSTER has more options.
EXTRA_DIST += tests/cluster/run tests/cluster/README.md \
  tests/cluster/clustertest/__init__.py tests/cluster/clustertest/fault.py \
  tests/cluster/clustertest/faults.py tests/cluster/clustertest/gateways.py \
  tests/cluster/clustertest/judge.py tests/cluster/clustertest/nats.py \
  tests/cluster/clustertest/network_faults.py tests/cluster/clustertest/networks.py \
  tests/cluster/clustertest/processes.py \
  tests/cluster/clustertest/reader.py tests/cluster/clustertest/record.py \
  tests/cluster/clustertest/relay.py tests/cluster/clustertest/relay_process.py \
  tests/cluster/clustertest/report.py tests/cluster/clustertest/run.py \
  tests/cluster/clustertest/servers.py tests/cluster/clustertest/stores.py \
  tests/cluster/clustertest/world.py \
  tests/cluster/clustertest/writer.py tests/cluster/conftest.py tests/cluster/test_keys.py \
  tests/cluster/test_many_channels.py tests/cluster/test_networks.py

FAULTS = all
CHECK_CLUSTER = --runs 3

check-cluster: check-cluster-tests check-cluster-faults

# What is no fault under load: the hosts that faults of the network need, keys across a leader's death, 100,000
# channels.
check-cluster-tests: all
	SLUICE=$(abs_builddir)/sluice SLUICE_BENCH=$(abs_builddir)/sluice-bench /usr/bin/python3 -m pytest -q -s \
	  -p no:cacheprovider $(srcdir)/tests/cluster

check-cluster-faults: all
	SLUICE=$(abs_builddir)/sluice SLUICE_BENCH=$(abs_builddir)/sluice-bench /usr/bin/python3 \
	  $(srcdir)/tests/cluster/run --faults $(FAULTS) $(CHECK_CLUSTER) --report cluster.md

CLEANFILES += cluster.md cluster.md.json

.PHONY: check-cluster check-cluster-tests check-cluster-faults
