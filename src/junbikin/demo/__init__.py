"""An invented example operator, built from a seed: its sources, and a home into which they are ingested.

Nothing here describes a real firm, person, account or event. The same seed makes the same figures everywhere.
"""

from junbikin.demo.market import AS_OF
from junbikin.demo.operator import SEED, build

__all__ = ["AS_OF", "SEED", "build"]
