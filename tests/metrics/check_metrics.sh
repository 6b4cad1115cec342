#!/bin/sh
# The metrics renderings against the parsers of those who will read them: promtool
# (Debian's prometheus) and python3-prometheus-client. 77 tells automake "skipped" where
# they are not installed; with SLUICE_REQUIRE_TOOLS set that is a failure.
set -e
srcdir=${srcdir:-.}
python=/usr/bin/python3
if ! command -v promtool >/dev/null || ! $python -c 'import prometheus_client' 2>/dev/null; then
	echo "promtool or prometheus_client is missing: install prometheus and python3-prometheus-client"
	[ -z "$SLUICE_REQUIRE_TOOLS" ] || exit 1
	exit 77
fi
print=tests/metrics/print_metrics
$print prometheus >print_metrics.txt
trap 'rm -f print_metrics.txt' EXIT
promtool check metrics <print_metrics.txt
$print openmetrics | $python "$srcdir/tests/metrics/check_openmetrics.py"
$print json | $python -m json.tool >/dev/null
echo "metrics: promtool, OpenMetrics parser and JSON agree"
