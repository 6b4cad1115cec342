"""Faults of the network: partitions and bad links."""

FAULTS = []
