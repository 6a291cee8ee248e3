"""The duties of custody, as functions from facts and parameters to checks; a regime puts those together that it has.

Each reads its own parameters (`duties.…`), so that the number, its citation and its provenance are the regime's.
"""

from junbikin.rulebooks.duties.lapses import UNKNOWN, cure_by, cured_under
from junbikin.rulebooks.duties.operator import audits, net_assets
from junbikin.rulebooks.duties.places import apart, concentration, places
from junbikin.rulebooks.duties.prices import averaged, averaged_over
from junbikin.rulebooks.duties.property import guarantee, held, hot, money

__all__ = [
    "UNKNOWN", "apart", "audits", "averaged", "averaged_over", "concentration", "cure_by", "cured_under", "guarantee", "held", "hot", "money", "net_assets", "places",
]  # fmt: skip
