"""Helpers of the tests that ask whether sluice-bench can be trusted."""

from .bench import Bench, Run
from .capture import Capture
from .relay import Relay

__all__ = ["Bench", "Capture", "Relay", "Run"]
