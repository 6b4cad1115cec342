"""Parses OpenMetrics text from standard input with Prometheus's own strict parser.

Usage: check_openmetrics.py < text. Fails on what the parser refuses, on a metric that is
not ours, and on a sample that comes twice.
"""
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

seen = set()
for family in text_string_to_metric_families(sys.stdin.read()):
    if not family.name.startswith("sluice_"):
        sys.exit(f"{family.name} does not begin with sluice_")
    if family.type not in ("counter", "gauge", "histogram"):
        sys.exit(f"{family.name} has type {family.type}")
    if not family.documentation:
        sys.exit(f"{family.name} has no help")
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        if key in seen:
            sys.exit(f"{key} comes twice")
        seen.add(key)
if len(seen) < 50:
    sys.exit(f"only {len(seen)} samples")
print(f"{len(seen)} samples")
