"""Breaks (差異): what differs between two sides, in which class, and the id by which people speak of it from day to day."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from junbikin.figures import Name, plain
from junbikin.figures.amounts import EXACT
from junbikin.findings import Severity


class Compared(StrEnum):
    """What was held against what."""

    ACCOUNT = "account"  # an account's balance: the platform's against the books'
    ASSET = "asset"  # an asset's total: the platform's against the books', beyond what single accounts explain
    PLACE = "place"  # what is held at a place: the books or holdings against one source
    SOURCES = "sources"  # one source against another, of one place
    VOUCHED = "vouched"  # whether anybody states the place at all, for this day
    REGISTERED = "registered"  # whether the place is registered
    PRICED = "priced"  # whether the asset has a price
    KNOWN = "known"  # whether a side says anything at all
    READ = "read"  # whether rows of facts were refused when they were ingested

    @property
    def words(self) -> Name:
        """What it is called."""
        return _COMPARED[self]


class Kind(StrEnum):
    """The class of a break."""

    NEGATIVE = "negative"
    UNKNOWN = "unknown"
    MISSING = "missing"
    EXCESS = "excess"
    TIMING = "timing"
    DISAGREE = "disagree"
    UNKNOWN_PLACE = "unknown_place"
    NOT_STATED = "not_stated"
    STALE = "stale"
    PRICE_HOLE = "price_hole"
    REFUSED = "refused"

    @property
    def words(self) -> Name:
        """What it is called."""
        return _KINDS[self]

    @property
    def severity(self) -> Severity:
        """How grave it is. What nobody states, prices or can read may hide a breach."""
        return _SEVERITIES.get(self, Severity.WARNING)


_COMPARED = {
    Compared.ACCOUNT: Name("customer's account", "利用者の口座"),
    Compared.ASSET: Name("total of an asset", "資産の合計"),
    Compared.PLACE: Name("place", "保管先"),
    Compared.SOURCES: Name("two sources of a place", "保管先の二つの証明"),
    Compared.VOUCHED: Name("statement of a place", "保管先の残高証明"),
    Compared.REGISTERED: Name("registration of a place", "保管先の登録"),
    Compared.PRICED: Name("price", "価格"),
    Compared.KNOWN: Name("what is known", "事実データの有無"),
    Compared.READ: Name("rows ingested", "取込データ"),
}
_KINDS = {
    Kind.NEGATIVE: Name("negative balance", "負の残高"),
    Kind.UNKNOWN: Name("nothing is known", "事実データなし"),
    Kind.MISSING: Name("missing", "不足"),
    Kind.EXCESS: Name("excess", "過剰"),
    Kind.TIMING: Name("timing", "時点差"),
    Kind.DISAGREE: Name("sources disagree", "証明間の不一致"),
    Kind.UNKNOWN_PLACE: Name("unknown place", "未登録の保管先"),
    Kind.NOT_STATED: Name("nobody vouches for it", "残高証明なし"),
    Kind.STALE: Name("statement of another day", "別の日の残高証明"),
    Kind.PRICE_HOLE: Name("no price", "価格なし"),
    Kind.REFUSED: Name("refused when it was ingested", "取込時に拒否"),
}
_SEVERITIES = {
    Kind.NEGATIVE: Severity.BREACH,
    Kind.MISSING: Severity.BREACH,
    Kind.TIMING: Severity.NOTICE,
    Kind.UNKNOWN: Severity.HOLE,
    Kind.NOT_STATED: Severity.HOLE,
    Kind.PRICE_HOLE: Severity.HOLE,
    Kind.REFUSED: Severity.HOLE,
}
ORDER = tuple(Kind)
"""Classes from what is looked at first."""


@dataclass(frozen=True, slots=True)
class Break:
    """One difference. `of` is an account, a place or a dataset, `source` who states the other side.

    `expected` is what the books say (or holdings, or the first of two sources) and `found` what the other side says: None when
    there is no such amount. `since` is the first day of the row of recorded reconciliations that show it without a gap.
    """

    compared: Compared
    kind: Kind
    of: str
    asset: str
    source: str
    expected: Decimal | None
    found: Decimal | None
    since: date

    @property
    def id(self) -> str:
        """The same from day to day, whatever class it is in."""
        return break_id(self.compared, self.of, self.asset, self.source)

    @property
    def amount(self) -> Decimal | None:
        """How much more the other side says; below 0 when it says less."""
        return None if self.expected is None or self.found is None else EXACT.subtract(self.found, self.expected)

    def age_days(self, as_of: date) -> int:
        """For how many days it has been there; 0 on its first."""
        return (as_of - self.since).days

    def document(self) -> dict[str, Any]:
        """As JSON; amounts are strings."""
        return {
            "id": self.id,
            "compared": str(self.compared),
            "class": str(self.kind),
            "of": self.of,
            "asset": self.asset,
            "source": self.source,
            "expected": _text(self.expected),
            "found": _text(self.found),
            "amount": _text(self.amount),
            "since": self.since.isoformat(),
        }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


ID_LENGTH = 20
"""Hex digits of an id: 80 bits, so that two of tens of millions are not the same."""


def break_id(compared: str, of: str, asset: str, source: str) -> str:
    """The start of the SHA-256 of what is compared, a line each; no class and no amount, which may change."""
    return hashlib.sha256("\n".join((compared, of, asset, source)).encode()).hexdigest()[:ID_LENGTH]


ID_SQL = f"""sha256(concat_ws(chr(10), compared, "of", asset, source))[:{ID_LENGTH}]"""
"""`break_id` as the engine works it out from columns of these names."""
