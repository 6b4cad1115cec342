# The metrics text against the parsers of Prometheus.
check_PROGRAMS += tests/metrics/print_metrics
tests_metrics_print_metrics_SOURCES = tests/metrics/print_metrics.c
dist_check_SCRIPTS += tests/metrics/check_metrics.sh
TESTS += tests/metrics/check_metrics.sh
EXTRA_DIST += tests/metrics/check_openmetrics.py tests/unit/report.h
