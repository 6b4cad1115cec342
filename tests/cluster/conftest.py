"""Where the modules are that the tests of a cluster use."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e"), os.path.join(os.path.dirname(HERE), "chaos")]
