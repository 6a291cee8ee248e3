"""What ties a statement to the reconciled position: whoever has both sees that one total was reconciled and proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from junbikin.custody.reconcile.reconciliation import Reconciliation


@dataclass(frozen=True, slots=True)
class Tie:
    """A reconciled position as canonical JSON, and what it says is owed to customers, by asset."""

    document: bytes
    owed: Mapping[str, Decimal]

    @property
    def digest(self) -> str:
        """SHA-256 of the document, in hex, which the statement bears."""
        return sha256(self.document).hexdigest()


def tie_to(found: Reconciliation) -> Tie:
    """The tie to a reconciliation, whatever breaks it has: they stand in it for all who ask."""
    owed = {total.asset: total.platform for total in found.totals if total.platform is not None}
    return Tie(found.canonical, owed)
