"""Attacks on a gateway, and honest clients that measure what others lose by them."""

import os
import sys

# Gateways, certificates and tokens are those of the end-to-end tests.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "e2e"))
